// An ASP.NET Core application with the balancer in the same process: Kestrel answers on one port, the balancer on another forwards to it.
//   dotnet run --project samples/EmbeddedProxy            then: curl http://127.0.0.1:8080/api/hello
using System.Net;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting;

var builder = WebApplication.CreateSlimBuilder(args);
string application = builder.Configuration["application"] ?? "127.0.0.1:5000";
string balancer = builder.Configuration["balancer"] ?? "127.0.0.1:8080";
builder.WebHost.UseUrls($"http://{application}");

// The whole model is at hand. For one listener before a few servers, options.Forward(balancer, application) says the same.
builder.Services.AddLoadBalancer(new ProxyConfig
{
    Listeners = new Dictionary<string, ListenerConfig> { ["web"] = new() { Address = balancer } },
    Routes = new Dictionary<string, RouteConfig>
    {
        ["api"] = new() { Path = "/api/**", Cluster = "app", Deadline = TimeSpan.FromSeconds(10) },
        ["health"] = new() { Path = "/health", Respond = new() { Body = "ok\n" } },
    },
    Clusters = new Dictionary<string, ClusterConfig>
    {
        ["app"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["self"] = new() { Address = application } } },
    },
});

WebApplication app = builder.Build();
app.MapGet("/api/hello", (HttpRequest request) => $"hello, {request.Headers["X-Forwarded-For"]}\n");
app.Lifetime.ApplicationStarted.Register(() =>
{
    EndPoint bound = app.Services.GetRequiredService<ProxyServer>().Endpoints["web"];
    Console.WriteLine($"balancer: http://{bound}");
});
app.Run();
