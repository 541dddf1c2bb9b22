// The balancer in a worker: a generic host, the same configuration file that the lb binary runs, and a line for each request that ended badly.
//   dotnet run --project samples/GenericHost -- lb.json
using System.Text;
using LoadBalancer.Core;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Hosting;
using LoadBalancer.Hosting.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

HostApplicationBuilder builder = Host.CreateApplicationBuilder();
builder.Services.AddSingleton<ICompletionObserver, Failures>();
try
{
    builder.Services.AddLoadBalancerFromFile(args is [var file] ? file : "lb.json"); // read and checked now, opened when the host starts
}
catch (ConfigFileException e)
{
    Console.Error.WriteLine(e.Message); // every problem, with line and column
    return 1;
}

using IHost host = builder.Build();
IHostApplicationLifetime lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
lifetime.ApplicationStarted.Register(() =>
{
    foreach ((string name, var endPoint) in host.Services.GetRequiredService<ProxyServer>().Endpoints) Console.WriteLine($"{name}: http://{endPoint}");
});
await host.RunAsync(); // until SIGTERM or Ctrl+C; then what is in flight may finish
return 0;

/// <summary>Called on the event loops: it must be quick, and the record is valid during the call alone.</summary>
internal sealed class Failures : ICompletionObserver
{
    public void OnCompleted(CompletionRecord record)
    {
        if (record.Status >= 500) Console.WriteLine($"{record.Status} {record.Reason} {Encoding.ASCII.GetString(record.Target.Span)}");
    }
}
