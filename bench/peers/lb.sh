#!/usr/bin/env bash
# [TLS=site.pem] [TCP=1] [CACHE=1] [LOG=FILE] [RECENT=N] [POLICY=script|service|headers] lb.sh BINARY PORT BACKEND[,BACKEND...] [LOOPS [POLICY [EJECTION]]]: our balancer set up as the peers are: round-robin, kept connections without limits on
# their number of requests. With TCP it forwards connections as they are, with CACHE it answers from a cache, with POLICY a policy of
# that kind looks at each request: what nginx does by njs and by auth_request. With LOG it writes its access log to that file, with RECENT it keeps so many records.
set -eu
dir=$(mktemp -d)
destinations=""
i=0
for port in ${3//,/ }; do destinations+="\"d$i\": \"127.0.0.1:$port\", "; i=$((i + 1)); done
listener='"limits": { "requestsPerConnectionMax": 0, "keepAliveTimeout": "300s" }' routes='"all": { "cluster": "app" }'
caches=""
if [ -n "${CACHE:-}" ]; then caches='"caches": { "main": {} },' routes='"all": { "cluster": "app", "cache": { "ttl": { "200": "1h" } } }'; fi
policies=""
case "${POLICY:-}" in
  script)
    policies='"policies": { "one": { "script": { "file": "one.js" } } },'
    cat > "$dir/one.js" <<'EOF'
export function onRequest(request) {
    const user = request.query.get("u") || "none";
    if (user === "blocked") return new Response("no", { status: 403 });
    request.headers.set("X-User", user.toUpperCase() + "/" + request.path.split("/").length);
}
EOF
    ;;
  service) policies='"policies": { "one": { "authorize": { "service": { "cluster": "app", "path": "/" } } } },' ;;
  headers) policies='"policies": { "one": { "headers": { "request": { "set": { "X-User": "none/2" } } } } },' ;;
esac
if [ -n "$policies" ]; then routes='"all": { "cluster": "app", "policies": "one" }'; fi
if [ -n "${TCP:-}" ]; then listener='"tcp": "app"' routes=""; fi
cat > "$dir/lb.json" <<EOF
{
  "transport": { "loops": ${4:-1} },
  "listeners": { "web": { "address": "127.0.0.1:$2", ${TLS:+"\"tls\": \"$TLS\","} $listener } },
  $caches
  $policies
  ${LOG:+"\"accessLog\": \"$LOG\","}
  ${RECENT:+"\"recentRequests\": $RECENT,"}
  "routes": { $routes },
  "clusters": { "app": { "balance": "${5:-round-robin}", "ejection": { "enabled": ${6:-true} }, "destinations": { $destinations }, "pool": { "idleConnectionsMax": 1024, "idleTimeout": "300s" } } }
}
EOF
exec $1 run --config "$dir/lb.json"
