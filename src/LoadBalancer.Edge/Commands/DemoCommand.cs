using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using LoadBalancer.Admin;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Edge.Demo;
using LoadBalancer.Edge.Development;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb demo</c></summary>
internal static class DemoCommand
{
    private const int PortDefault = 8080, SecurePortDefault = 8443;
    private const int BurstConnections = 3;
    private static readonly (string Name, int Milliseconds)[] Destinations = [("fast", 2), ("medium", 10), ("slow", 40)];

    internal static Command Create()
    {
        var port = new Option<int?>("--port", "-p") { Description = $"Port on 127.0.0.1 [default: {PortDefault}, with '--https' {SecurePortDefault}, or a free one when that is taken]" };
        var burst = new Option<int>("--burst") { Description = "Requests the demo sends to itself at the start", DefaultValueFactory = _ => 30 };
        var seconds = new Option<int>("--for") { Description = "Seconds after which the demo ends by itself; 0 for never", DefaultValueFactory = _ => 0 };
        var balance = new Option<string>("--balance", "-b") { Description = "Balancing policy", DefaultValueFactory = _ => new ClusterConfig().Balance };
        balance.AcceptOnlyFromAmong([.. ConfigRanges.BalancePolicies.Except(ConfigRanges.HashPolicies).Where(name => name != ConfigRanges.ProbingPolicy)]);
        var https = new Option<bool>("--https") { Description = "Serve HTTPS with a self-signed development certificate, which is kept for the next run" };
        Option<string> log = LogLevelOption.Create("warn");
        var command = new ExplainedCommand("demo", "Starts three destinations of different speed inside this process and the balancer before them, and shows the requests being spread.", """
            Examples:
              lb demo                      then, elsewhere: curl http://127.0.0.1:8080/
              lb demo --port 9000 --for 10
              lb demo --https              the same by https; prints what a client needs to trust it
              lb demo --balance round-robin --burst 300
            """) { port, burst, seconds, balance, https, log };
        command.Validators.Add(result =>
        {
            if (result.GetValue(port) is < 0 or > 65535) result.AddError("'--port' is out of range; expected 0 to 65535");
            if (result.GetValue(burst) is < 0 or > 100_000) result.AddError("'--burst' is out of range; expected 0 to 100000");
            if (result.GetValue(seconds) < 0) result.AddError("'--for' is out of range; expected 0 or more");
        });
        command.SetAction(parsed => RunAsync(
            parsed.GetValue(port), parsed.GetValue(burst), parsed.GetValue(seconds), parsed.GetValue(balance)!, parsed.GetValue(https), LogLevelOption.Parse(parsed.GetValue(log)!)));
        return command;
    }

    private static async Task<int> RunAsync(int? port, int burst, int seconds, string balance, bool https, Microsoft.Extensions.Logging.LogLevel logLevel)
    {
        using DevelopmentCertificate? certificate = https ? DevelopmentCertificate.TryOpen(Console.Error) : null;
        if (https && certificate is null) return ExitCode.Problem;
        int usual = https ? SecurePortDefault : PortDefault, chosen = port ?? usual;
        if (port is null && !IsFree(usual))
        {
            Console.Out.WriteLine($"Port {usual} is taken; a free one is used instead.");
            chosen = 0;
        }
        DemoDestination[] destinations = [.. Destinations.Select(d => new DemoDestination(d.Name, TimeSpan.FromMilliseconds(d.Milliseconds)))];
        try
        {
            var counters = new DemoCounters([.. destinations.Select(d => d.Name)], TimeProvider.System);
            return await ServerHost.RunAsync(Config(chosen, balance, certificate, destinations), logLevel, counters,
                (server, admin, stopping) => ShowAsync(server, admin, balance, certificate, counters, destinations, burst, seconds, stopping));
        }
        finally
        {
            foreach (DemoDestination destination in destinations) await destination.DisposeAsync();
        }
    }

    private static async Task ShowAsync(
        ProxyServer server, AdminServer? admin, string balance, DevelopmentCertificate? certificate, DemoCounters counters, DemoDestination[] destinations, int burst, int seconds, CancellationToken stopping)
    {
        EndPoint target = server.Endpoints["demo"];
        Console.Out.WriteLine($"Balancer on {(certificate is null ? "http" : "https")}://{target} ({balance}, transport {server.Transport}) before three destinations:");
        foreach (DemoDestination destination in destinations) Console.Out.WriteLine($"  {destination.Name,-7} http://{destination.Address}, answers after {destination.DelayMilliseconds} ms");
        if (certificate is not null) DevelopmentReport.Write(Console.Out, certificate, target);
        if (admin?.EndPoint is { } socket) Console.Out.WriteLine($"Admin on {StartReport.Describe(socket)}; see it with: lb destinations list demo");
        if (burst > 0) await BurstAsync(target, certificate, counters, burst, stopping);
        Console.Out.WriteLine($"Your turn:  {(certificate is null ? $"curl http://{target}/" : DevelopmentReport.Curl(certificate, target))}      Ctrl+C ends the demo.");
        Console.Out.Flush();

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        if (seconds > 0) ending.CancelAfter(TimeSpan.FromSeconds(seconds));
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        try
        {
            long last = TimeProvider.System.GetTimestamp();
            while (await timer.WaitForNextTickAsync(ending.Token))
            {
                long now = TimeProvider.System.GetTimestamp();
                if (counters.TakeLine(TimeProvider.System.GetElapsedTime(last, now).TotalSeconds) is { } line) Console.Out.WriteLine(line);
                last = now;
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
        }
    }

    private static async Task BurstAsync(EndPoint target, DevelopmentCertificate? certificate, DemoCounters counters, int burst, CancellationToken stopping)
    {
        Task counted = counters.WhenCompleted(burst);
        try
        {
            await Task.WhenAll(Enumerable.Range(0, BurstConnections).Select(i =>
                DemoClient.SendAsync(target, certificate?.PublicFile, (burst + i) / BurstConnections, stopping)));
            // The last record may come just after its answer.
            await counted.WaitAsync(TimeSpan.FromSeconds(2), stopping);
        }
        catch (Exception e) when (e is IOException or SocketException or TimeoutException or System.Security.Authentication.AuthenticationException)
        {
            Console.Error.WriteLine($"lb: the demo's own requests failed: {e.Message}");
        }
        Console.Out.WriteLine($"Sent {burst} requests over {BurstConnections} connections; share and mean time of each destination:");
        if (counters.TakeLine(null) is { } line) Console.Out.WriteLine(line);
    }

    private static ProxyConfig Config(int port, string balance, DevelopmentCertificate? certificate, DemoDestination[] destinations) => new()
    {
        Listeners = new Dictionary<string, ListenerConfig> { ["demo"] = new() { Address = $"127.0.0.1:{port}", Tls = certificate?.Tls } },
        Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "demo" } },
        Clusters = new Dictionary<string, ClusterConfig>
        {
            ["demo"] = new() { Balance = balance, Destinations = destinations.ToDictionary(d => d.Name, d => new DestinationConfig { Address = d.Address }), Registration = true },
        },
        Admin = new AdminConfig(),
        DrainTimeout = TimeSpan.FromSeconds(5),
    };

    private static bool IsFree(int port)
    {
        using var probe = new TcpListener(IPAddress.Loopback, port);
        try
        {
            probe.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
