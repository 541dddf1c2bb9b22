using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LoadBalancer.Admin;
using LoadBalancer.Admin.Endpoints;
using LoadBalancer.Core;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb cache</c></summary>
internal static class CacheCommand
{
    internal static Command Create() => new ExplainedCommand("cache", "Shows what the caches of a running balancer hold, tells why, and empties them.", $"""
        Examples:
          lb cache show
          lb cache why https://example.com/page          what is stored for it, and why not more
          lb cache purge https://example.com/page        all variants of one resource
          lb cache purge 'https://example.com/images/*'  all that begins so
          lb cache purge --tag product-42                what its answers named in Surrogate-Key or Cache-Tag
          lb cache purge --all --soft                    everything is asked for again, and stays for when that fails

        Over TCP the token comes from the environment: {AdminAsk.TokenVariable}.
        Exit codes: 0 done (for "why": something is stored), 1 refused, nobody there, or nothing is stored, 2 wrong usage.
        """) { Show(), Why(), Purge(), AdminAsk.Admin, AdminAsk.Json };

    private static Command Show()
    {
        var command = new Command("show", "Lists the caches with what they hold, and how often it was of use.");
        command.SetAction((parsed, cancellation) => AdminAsk.SendAsync(parsed, "GET", "/caches", null, answer => Print(Parse(answer, AdminJson.Default.CacheList)), cancellation));
        return command;
    }

    private static Command Why()
    {
        var url = new Argument<string>("url") { Description = "As a client asks: https://host/path?query" };
        var command = new Command("why", "Tells what is stored for a URL, and why the last answer was not.") { url };
        command.SetAction((parsed, cancellation) => AdminAsk.SendAsync(parsed, "POST", "/caches:explain",
            JsonSerializer.Serialize(new ExplainRequest(parsed.GetValue(url)), AdminJson.Default.ExplainRequest), answer => Print(Parse(answer, AdminJson.Default.CacheExplanation)), cancellation,
            answer => Parse(answer, AdminJson.Default.CacheExplanation).Variants.Count > 0 ? ExitCode.Ok : ExitCode.Problem));
        return command;
    }

    private static Command Purge()
    {
        var url = new Argument<string?>("url") { Description = "https://host/path?query; a '*' at its end stands for all that begins so", Arity = ArgumentArity.ZeroOrOne };
        var tag = new Option<string?>("--tag") { Description = "All whose answers named it in Surrogate-Key or Cache-Tag", HelpName = "name" };
        var all = new Option<bool>("--all") { Description = "Everything" };
        var soft = new Option<bool>("--soft") { Description = "Only make it stale: it is asked for again, and given out where that fails and its answer allows it" };
        var cache = new Option<string?>("--cache") { Description = "Of this cache alone [default: all]", HelpName = "name" };
        var command = new Command("purge", "Forgets stored answers.") { url, tag, all, soft, cache };
        command.Validators.Add(result =>
        {
            int given = (result.GetValue(url) is null ? 0 : 1) + (result.GetValue(tag) is null ? 0 : 1) + (result.GetValue(all) ? 1 : 0);
            if (given != 1) result.AddError($"{(given == 0 ? "nothing was given" : "more than one was given")} to purge; expected a URL, '--tag' or '--all'");
        });
        command.SetAction((parsed, cancellation) => AdminAsk.SendAsync(parsed, "POST", "/caches:purge",
            JsonSerializer.Serialize(new PurgeRequest(parsed.GetValue(cache), parsed.GetValue(url), parsed.GetValue(tag), parsed.GetValue(all), parsed.GetValue(soft)), AdminJson.Default.PurgeRequest),
            answer => Console.Out.WriteLine($"{Parse(answer, AdminJson.Default.PurgeResult).Purged} purged"), cancellation));
        return command;
    }

    private static T Parse<T>(byte[] answer, JsonTypeInfo<T> type) where T : class => JsonSerializer.Deserialize(answer, type) ?? throw new JsonException();

    private static void Print(CacheList list)
    {
        if (list.Caches.Count == 0)
        {
            Console.Out.WriteLine("There is no cache.");
            return;
        }
        TextTable.Write([["CACHE", "PLACE", "OBJECTS", "MIB", "OF", "HITS", "MISSES", "STORED", "EVICTED", "PURGED"], .. list.Caches.SelectMany(Rows)]);
    }

    private static IEnumerable<string[]> Rows(CacheView cache)
    {
        yield return Row(cache.Name, "memory", cache.Memory);
        if (cache.Disk is { } disk) yield return Row(cache.Name, "disk", disk);
    }

    private static string[] Row(string name, string place, CachePartView part) =>
        [name, place, Text(part.Objects), MiB(part.Bytes), MiB(part.BytesMax), Text(part.Hits), Text(part.Misses), Text(part.Insertions), Text(part.Evictions), Text(part.Purges)];

    private static void Print(CacheExplanation explanation)
    {
        string route = explanation.Route is null ? "No route takes it." : explanation.Cache is null ? $"Route {explanation.Route} has no cache." : $"Route {explanation.Route}, cache {explanation.Cache}.";
        Console.Out.WriteLine(route);
        if (explanation.Cache is null) return;
        if (explanation.Verdict is { } verdict) Console.Out.WriteLine($"An answer was not stored at {explanation.VerdictAt:u}: {verdict}.");
        if (explanation.Variants.Count == 0)
        {
            Console.Out.WriteLine(explanation.Verdict is null ? "Nothing is stored, and nothing is known of an answer." : "Nothing is stored.");
            return;
        }
        TextTable.Write([["PLACE", "STATUS", "BYTES", "AGE", "FRESH FOR", "LIFETIME BY", "SELECTED BY", "ETAG", "TAGS"],
            .. explanation.Variants.Select(v => new[]
            {
                v.Place, Text(v.Status), Text(v.BodyBytes), $"{v.AgeSeconds} s", v.IsMarkedStale ? "purged softly" : $"{v.TtlSeconds} s", v.Lifetime,
                v.VariesBy.Count == 0 ? "-" : string.Join("; ", v.VariesBy.Select(field => $"{field.Key}: {field.Value ?? "(none)"}")), v.ETag ?? "-", v.Tags.Count == 0 ? "-" : string.Join(",", v.Tags),
            })]);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string MiB(long bytes) => (bytes / 1048576.0).ToString("0.0", CultureInfo.InvariantCulture);
}
