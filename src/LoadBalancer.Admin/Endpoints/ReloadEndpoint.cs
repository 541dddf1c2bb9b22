using LoadBalancer.Admin.Routing;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Admin.Endpoints;

/// <summary><c>/reload</c>: reads the configuration again from where it came.</summary>
/// <param name="admin">Knows who does so, if anybody can.</param>
internal sealed class ReloadEndpoint(AdminServer admin)
{
    internal async Task Post(AdminExchange exchange, CancellationToken aborted)
    {
        if (admin.Reloader is not { } handler)
        {
            await exchange.Refuse(409, "the configuration was given on the command line or by a program, so that there is nothing to read again").ConfigureAwait(false);
            return;
        }
        string? dryRun = exchange.Query("dryRun");
        if (dryRun is not (null or "true" or "false"))
        {
            await exchange.Refuse(400, $"dryRun: {CharacterText.Quote(dryRun)} is neither \"true\" nor \"false\"").ConfigureAwait(false);
            return;
        }
        if (dryRun != "true" && admin.IsHandingOver)
        {
            exchange.Response.AddField("Retry-After", "5");
            await exchange.Refuse(503, "another process is about to take over, and has read the configuration already; ask again, and it answers").ConfigureAwait(false);
            return;
        }
        // Not given up when the client goes: half a reload is what nobody wants.
        ReloadReport report = await handler.ReloadAsync(dryRun == "true", exchange.Who, CancellationToken.None).ConfigureAwait(false);
        await exchange.Json(report.IsGood ? 200 : 422, new ReloadAnswer(report.Source, report.IsDryRun, report.IsGood, report.Changes, report.NeedRestart, report.Problems, report.Failures), AdminJson.Default.ReloadAnswer).ConfigureAwait(false);
    }
}

/// <summary>What came of it; <see cref="ReloadReport"/> says what the fields mean.</summary>
internal sealed record ReloadAnswer(string Source, bool DryRun, bool Good, IReadOnlyList<string> Changes, IReadOnlyList<string> NeedRestart, IReadOnlyList<string> Problems,
    IReadOnlyList<string> Failures);
