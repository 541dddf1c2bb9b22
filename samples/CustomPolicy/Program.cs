// A policy of one's own on a route: C# that sees each request before it is balanced, and its answer.
//   dotnet run --project samples/CustomPolicy -- 127.0.0.1:8080 127.0.0.1:5000      then: curl -i -H 'X-Tenant: acme' http://127.0.0.1:8080/hello
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Hosting;
using LoadBalancer.Samples;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

HostApplicationBuilder builder = Host.CreateApplicationBuilder();
builder.Services.AddLoadBalancer(new ProxyConfig
{
    Listeners = new Dictionary<string, ListenerConfig> { ["web"] = new() { Address = args[0] } },
    Policies = new Dictionary<string, PolicyConfig> { ["tenant"] = new CustomPolicyConfig(new TenantPolicy()) },
    Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Policies = ["tenant"] } },
    Clusters = new Dictionary<string, ClusterConfig>
    {
        ["app"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = args[1] } } },
    },
});
using IHost host = builder.Build();
host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.Register(() =>
    Console.WriteLine($"balancer: http://{host.Services.GetRequiredService<ProxyServer>().Endpoints["web"]}"));
await host.RunAsync();
