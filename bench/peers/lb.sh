#!/usr/bin/env bash
# [TLS=site.pem] lb.sh BINARY PORT BACKEND[,BACKEND...] [LOOPS [POLICY [EJECTION]]]: our balancer set up as the peers are: round-robin, kept connections without limits on
# their number of requests.
set -eu
dir=$(mktemp -d)
destinations=""
i=0
for port in ${3//,/ }; do destinations+="\"d$i\": \"127.0.0.1:$port\", "; i=$((i + 1)); done
cat > "$dir/lb.json" <<EOF
{
  "transport": { "loops": ${4:-1} },
  "listeners": { "web": { "address": "127.0.0.1:$2", ${TLS:+"\"tls\": \"$TLS\","} "limits": { "requestsPerConnectionMax": 0, "keepAliveTimeout": "300s" } } },
  "routes": { "all": { "cluster": "app" } },
  "clusters": { "app": { "balance": "${5:-round-robin}", "ejection": { "enabled": ${6:-true} }, "destinations": { $destinations }, "pool": { "idleConnectionsMax": 1024, "idleTimeout": "300s" } } }
}
EOF
exec $1 run --config "$dir/lb.json"
