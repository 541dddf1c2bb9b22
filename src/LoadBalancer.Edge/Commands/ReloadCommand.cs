using System.CommandLine;
using System.Text.Json;
using LoadBalancer.Admin;
using LoadBalancer.Admin.Endpoints;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb reload</c></summary>
internal static class ReloadCommand
{
    internal static Command Create()
    {
        var dryRun = new Option<bool>("--dry-run", "-n") { Description = "Say what would change, and change nothing" };
        var command = new ExplainedCommand("reload", "Has a running balancer read its configuration again, and shows what has changed. What is wrong changes nothing.", $"""
            Examples:
              lb reload --dry-run     what would change, checked by the balancer that runs
              lb reload               applies it; connections, health, limits and caches of what has not changed stay

            SIGHUP does the same without an answer; lb run --watch does it whenever the file changes.
            Over TCP the token comes from the environment: {AdminAsk.TokenVariable}.
            Exit codes: 0 applied, or nothing to change; 1 refused, with every problem, or applied but for what is named, or nobody there; 2 wrong usage.
            """) { dryRun, AdminAsk.Admin, AdminAsk.Json };
        command.SetAction((parsed, cancellation) => AdminAsk.SendAsync(
            parsed, "POST", parsed.GetValue(dryRun) ? "/reload?dryRun=true" : "/reload", null, Print, cancellation, isDone: status => status is 200 or 422, verdict: answer => Read(answer) is { Good: true, Failures.Count: 0 } ? ExitCode.Ok : ExitCode.Problem));
        return command;
    }

    private static ReloadAnswer Read(byte[] answer) => JsonSerializer.Deserialize(answer, AdminJson.Default.ReloadAnswer) ?? throw new JsonException();

    private static void Print(byte[] answer)
    {
        ReloadAnswer reload = Read(answer);
        foreach (string problem in reload.Problems) Console.Error.WriteLine(problem);
        if (!reload.Good)
        {
            Console.Error.WriteLine($"lb: {reload.Source} cannot be used; nothing has changed");
            return;
        }
        foreach (string change in reload.Changes) Console.Out.WriteLine(change);
        foreach (string path in reload.NeedRestart) Console.Out.WriteLine($"{path} holds from the next start on; lb upgrade makes one, and hands the sockets on");
        Console.Out.WriteLine(reload.Changes.Count == 0 ? "nothing has changed" : reload.DryRun ? "not applied: --dry-run" : "applied");
        foreach (string failure in reload.Failures) Console.Error.WriteLine($"lb: could not follow, and is tried again with the next reload: {failure}");
    }
}
