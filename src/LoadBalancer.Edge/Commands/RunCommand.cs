using System.CommandLine;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Edge.Development;
using LoadBalancer.Edge.Upgrading;
using LoadBalancer.Hosting;
using LoadBalancer.Hosting.Configuration;
using LoadBalancer.Hosting.Reloading;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb run</c></summary>
internal static class RunCommand
{
    private const string ListenDefault = ":8080", SecureListenDefault = ":8443";

    internal static Command Create()
    {
        Option<string?> config = ConfigLocation.Option();
        var listen = new Option<string?>("--listen", "-l") { Description = $"Address to serve, without a file [default: {ListenDefault}, or {SecureListenDefault} with '--https']", HelpName = "host:port" };
        var to = new Option<string[]>("--to", "-t")
        {
            Description = "Destinations to spread requests over, without a file; several with commas or by repeating",
            HelpName = "host:port,...",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = true,
        };
        var https = new Option<bool>("--https") { Description = "Serve HTTPS, without a file, with a self-signed development certificate that is kept for the next run" };
        var watch = new Option<bool>("--watch", "-w") { Description = "Reload the configuration file whenever it has changed" };
        var takeOver = new Option<string?>(Upgrader.TakeOverOption)
        {
            Description = "Take the sockets over from the lb that serves with this admin listener (or hands them over at that path: its socket's, with \".upgrade\"), which leaves once this one serves; lb upgrade does all of it",
            HelpName = "path",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<string> log = LogLevelOption.Create("info");
        var command = new ExplainedCommand("run", "Runs the balancer until SIGINT or SIGTERM, then lets requests in flight finish. A second signal cuts them.", """
            Examples:
              lb run                                            ./lb.json, then /etc/lb/lb.json
              lb run --config edge.json
              lb run --config etcd://10.0.0.5:2379/lb/config    etcds:// for TLS; LB_ETCD_USER, LB_ETCD_PASSWORD, LB_ETCD_CA, ...
              lb run --to localhost:5000,localhost:5001         :8080 over two servers, no file
              lb run --listen 127.0.0.1:9000 --to 10.0.0.1:80
              lb run --to localhost:5000 --https                https on :8443, with a certificate made on the fly
              lb run --to https://a.internal,https://b.internal:8443   verified TLS to both

            SIGHUP and lb reload read the configuration again, and apply what has changed; lb run --watch does so by itself.

            Exit codes: 0 stopped in order, 1 bad configuration, address in use or cut, 2 wrong usage.
            """) { config, listen, to, https, watch, takeOver, log };
        command.Validators.Add(result =>
        {
            bool hasTo = result.GetResult(to) is { Implicit: false };
            if (hasTo && result.GetResult(config) is { Implicit: false }) result.AddError("'--config' and '--to' were both given; expected one of them");
            else if (!hasTo && result.GetResult(listen) is { Implicit: false }) result.AddError("'--listen' needs '--to', as in: lb run --listen :8080 --to localhost:5000");
            else if (hasTo && result.GetValue(watch)) result.AddError("'--watch' needs a configuration file, and '--to' is for running without one");
            else if (!hasTo && result.GetValue(https)) result.AddError("'--https' needs '--to'; in a file a listener's \"tls\" names its certificate");
        });
        command.SetAction(parsed => RunAsync(
            parsed.GetValue(config), parsed.GetValue(listen), parsed.GetValue(to) ?? [], parsed.GetValue(https), parsed.GetValue(watch), parsed.GetResult(takeOver) is { Implicit: false } ? new TakeOver(parsed.GetValue(takeOver)) : null, LogLevelOption.Parse(parsed.GetValue(log)!)));
        return command;
    }

    private static async Task<int> RunAsync(string? configPath, string? listen, string[] to, bool https, bool isWatched, TakeOver? takeOver, LogLevel logLevel)
    {
        using DevelopmentCertificate? certificate = https ? DevelopmentCertificate.TryOpen(Console.Error) : null;
        if (https && certificate is null) return ExitCode.Problem;
        ProxyConfig config;
        string source;
        ReloadSource? reload = null;
        if (to.Length > 0)
        {
            config = LoadBalancerOptions.Forwarding(listen ?? (https ? SecureListenDefault : ListenDefault), to.SelectMany(t => t.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)));
            if (certificate is not null) config = config with { Listeners = config.Listeners.ToDictionary(l => l.Key, l => l.Value with { Tls = certificate.Tls }) };
            source = "command line";
            IReadOnlyList<ConfigProblem> problems = ConfigValidator.Validate(config);
            foreach (ConfigProblem problem in problems)
                Console.Error.WriteLine($"lb: {(problem.Path.StartsWith("listeners", StringComparison.Ordinal) ? "--listen" : "--to")}: {problem.Message}");
            if (problems.Count > 0) return ExitCode.Usage;
        }
        else
        {
            if (ConfigLocation.Find(configPath) is not { } path) return ExitCode.Problem;
            byte[] state = isWatched ? ReloadService.StateOf(path) : [];
            ConfigReadResult result = await ConfigLocation.LoadAsync(path);
            foreach (ConfigDiagnostic problem in result.Problems) Console.Error.WriteLine(problem);
            if (result.Config is null) return ExitCode.Problem;
            config = result.Config;
            source = path;
            reload = new ReloadSource(path, state, isWatched, WithAdmin);
        }
        config = WithAdmin(config);
        return await ServerHost.RunAsync(config, logLevel, observer: null, async (server, admin, stopping) =>
        {
            StartReport.Write(Console.Out, source, config, server.Endpoints, admin, server.Transport, server.LoopCount, certificate);
            await Task.Delay(Timeout.Infinite, stopping);
        }, reload, takeOver);
    }

    private static ProxyConfig WithAdmin(ProxyConfig config) => config with { Admin = config.Admin ?? new AdminConfig() };
}
