#!/bin/sh
# Within a build: make a base with Python 3.11 into what functions start on.
set -eu
# Nothing is installed in what runs.
standard=$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
rm -rf "$standard/ensurepip" "$standard"/site-packages/* /usr/local/bin/pip* /usr/share/python-wheels
# Some bases come without bytecode, and on a read-only root every start would compile it again.
python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash \
  -x '/(test|tests|idlelib|lib2to3|tkinter|turtledemo)/' "$standard"
echo 'kinora:x:65532:65532:Kinora:/tmp:/usr/sbin/nologin' >>/etc/passwd
echo 'kinora:x:65532:' >>/etc/group
