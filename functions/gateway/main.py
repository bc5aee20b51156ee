"""The function `gateway`: requests of people and applications in, events out.

PORT=8080 K_SINK=http://… KINORA_STORE=… KINORA_STATE=… python -m functions.gateway.main
"""

from __future__ import annotations

from eventing.beginning import loading


def main() -> None:
    with loading():
        from functions.gateway.service import assembled

        server, close = assembled()
    server.run()
    close()


if __name__ == "__main__":
    main()
