using System.CommandLine;
using System.Text.Json;
using LoadBalancer.Admin;
using LoadBalancer.Admin.Endpoints;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb upgrade</c></summary>
internal static class UpgradeCommand
{
    internal static Command Create()
    {
        var command = new ExplainedCommand("upgrade", "Has a running balancer start its program anew, hand it the listening sockets, and leave. No connection is refused, and no request is cut that ends in time.", $"""
            Examples:
              lb upgrade     after a new lb was put in place of the old one, or for what a reload cannot change

            The new process reads the configuration, and takes over what was registered, drained and banned. The old one answers what it has, each connection with "Connection: close" at
            its next answer, and ends after at most twice "drainTimeout": WebSockets, TCP connections and longer answers are cut then. Where the new one does not come to serve, the old one goes on.
            Over TCP the token comes from the environment: {AdminAsk.TokenVariable}.
            Exit codes: 0 the new process serves; 1 the old one goes on, or nobody is there; 2 wrong usage.
            """) { AdminAsk.Admin, AdminAsk.Json };
        command.SetAction((parsed, cancellation) => AdminAsk.SendAsync(parsed, "POST", "/upgrade", null, Print, cancellation));
        return command;
    }

    private static void Print(byte[] answer)
    {
        UpgradeAnswer upgrade = JsonSerializer.Deserialize(answer, AdminJson.Default.UpgradeAnswer) ?? throw new JsonException();
        Console.Out.WriteLine($"process {upgrade.ProcessId} serves{(upgrade.Version is { } version ? $", version {version}" : "")}");
    }
}
