namespace LoadBalancer.Edge.Commands;

/// <summary>What <c>lb init</c> writes. A test runs <c>lb check</c> on it.</summary>
internal static class SampleConfig
{
    internal const string Text = """
        // Configuration of lb. Comments and trailing commas are allowed. Every key, with default and range: lb schema
        // Check it with: lb check     Values may come from the environment: "${PORT:-8080}"
        {
          // Completion in editors: lb schema > lb.schema.json
          "$schema": "./lb.schema.json",

          // Addresses to serve.
          "listeners": {
            "web": {
              "address": ":${PORT:-8080}",
              // Balancers before this one, whose X-Forwarded-* fields are to be believed:
              // "trustedProxies": ["10.0.0.0/8"],
            },
          },

          // Which request goes where. The most specific match wins, not the order.
          "routes": {
            "all": { "cluster": "app" },
            "health": { "path": "/lb-health", "respond": { "body": "ok\n" } },
            // "api": { "hosts": "api.example.com", "path": "/v1/**", "methods": ["GET", "POST"], "cluster": "app", "deadline": "10s" },
            // "old": { "path": "/old/**", "redirect": "https://{host}/new" },
          },

          // Groups of destinations that can answer the same requests.
          "clusters": {
            "app": {
              "balance": "latency-weighted",
              "destinations": {
                "a": "localhost:5000",
                "b": { "address": "localhost:5001", "weight": 2 },
              },
              // Or, or also, from elsewhere while running: each address of a name, SRV records, a file with a map like the one above, etcd, Kubernetes.
              // "discover": "app.internal:5000",
              // "discover": [{ "srv": "_http._tcp.app.internal" }, { "file": "fleet.json" }],
              // "discover": { "etcd": { "endpoints": "etcd.internal:2379", "prefix": "/services/app/" } },
              // "discover": { "kubernetes": { "service": "app", "namespace": "default", "port": "http" } },
              "connectTimeout": "2s",
              "responseHeadTimeout": "30s",
              // GET this of every destination; those that fail it get no requests.
              // "healthCheck": "/health",
              // Further attempts at other destinations, only where repeating is safe.
              "retriesMax": 2,
            },
          },

          // On stop, requests in flight may go on for this long.
          "drainTimeout": "30s",
        }

        """;
}
