# How a process of the host is started once, stopped, and waited for. Sourced after place.sh.

# A process is its id and the time of its start: one that got the id later is not ours to stop.
born() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  set -- ${stat##*) }
  echo "${20}"
}
alive() {
  local pid start
  read -r pid start 2>/dev/null <"$state/pids/$1" && [ "$(born "$pid")" = "$start" ]
}

# daemon NAME COMMAND…: in a session of its own, unless it runs. It keeps nothing open that whoever
# starts the cluster has open, like the file of a lock.
daemon() {
  local name=$1 pid
  shift
  if alive "$name"; then return; fi
  mkdir -p "$state/pids" "$log"
  (
    for open in "/proc/$BASHPID/fd"/*; do
      open=${open##*/}
      if [ "$open" -gt 2 ]; then eval "exec $open>&-"; fi
    done
    exec setsid "$@" >>"$log/$name.log" 2>&1 </dev/null
  ) &
  pid=$!
  echo "$pid $(born "$pid")" >"$state/pids/$name"
}

# stop NAME [SECONDS]: TERM, and KILL for who ignores that for so long.
stop() {
  local name=$1 patience_s=${2:-10} pid _ i
  if alive "$name"; then
    read -r pid _ <"$state/pids/$name"
    kill -TERM "$pid" 2>/dev/null || true
    for ((i = 0; i < patience_s * 10; i++)); do
      if ! alive "$name"; then break; fi
      sleep 0.1
    done
    if alive "$name"; then
      kill -KILL "$pid" 2>/dev/null || true
      sleep 0.3
    fi
  fi
  rm -f "$state/pids/$name"
}

# until_ok SECONDS WHAT COMMAND…: polls until COMMAND succeeds.
until_ok() {
  local limit_s=$1 what=$2 end
  shift 2
  end=$((SECONDS + limit_s))
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= end)); then die "$what: not within $limit_s s (logs: $log)"; fi
    sleep 0.3
  done
}

# file PATH: stdin becomes its content, unless it is already: kube-proxy ends itself when its
# configuration is written.
file() {
  mkdir -p "$(dirname "$1")"
  cat >"$1.new"
  if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}
