using System.CommandLine;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb ready</c></summary>
internal static class ReadyCommand
{
    internal static Command Create()
    {
        var command = new ExplainedCommand("ready", "Asks a running balancer whether it takes requests: for health checks of containers, which have nothing else to ask with.", """
            Example:
              lb ready && echo yes

            Exit codes: 0 it does, 1 it starts, stops, or is not there, 2 wrong usage.
            """) { AdminAsk.Admin, AdminAsk.Json };
        command.SetAction((parsed, cancellation) => AdminAsk.SendAsync(parsed, "GET", "/ready", null, _ => Console.Out.WriteLine("ready"), cancellation));
        return command;
    }
}
