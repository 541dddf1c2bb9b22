// An algorithm of one's own in the balancer: given a name, it is chosen as any other is, in code or in a file.
//   dotnet run --project samples/CustomBalancing -- 127.0.0.1:8080 127.0.0.1:5000 127.0.0.1:5001
using LoadBalancer.Balancing;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting;
using LoadBalancer.Samples;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// Before the first configuration is read: from here on "balance": "packing" is valid in this process.
BalancingPolicies.Add("packing", () => new PackingPolicy(perWeight: 8));

HostApplicationBuilder builder = Host.CreateApplicationBuilder();
builder.Services.AddLoadBalancer(new ProxyConfig
{
    Listeners = new Dictionary<string, ListenerConfig> { ["web"] = new() { Address = args[0] } },
    Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app" } },
    Clusters = new Dictionary<string, ClusterConfig>
    {
        ["app"] = new()
        {
            Balance = "packing",
            Destinations = args[1..].Index().ToDictionary(server => $"s{server.Index}", server => new DestinationConfig { Address = server.Item }),
        },
    },
});
using IHost host = builder.Build();
host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.Register(() =>
    Console.WriteLine($"balancer: http://{host.Services.GetRequiredService<ProxyServer>().Endpoints["web"]}"));
await host.RunAsync();
