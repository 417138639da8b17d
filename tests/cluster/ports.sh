# Ports on which nobody listens: sourced.
# shellcheck shell=bash

readonly FIRST_PORT=20000  # below the ports that Linux gives to outgoing connections
readonly PORTS=12000

# The inodes of the sockets that listen on PORT, as /proc/PID/fd shows them.
listeners() {
  awk -v port="$(printf '%04X' "$1")" \
    '$4 == "0A" && $2 ~ ":" port "$" {print "socket:[" $10 "]"}' \
    /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

free_port() {
  local port
  while :; do
    port=$((FIRST_PORT + RANDOM % PORTS))
    [[ -n $(listeners "$port") ]] || break
  done
  echo "$port"
}
