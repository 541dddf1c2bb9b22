using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Protection.Limits;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of <see cref="LimitConfig"/>, and of what routes say of limits.</summary>
internal static class LimitSpecs
{
    internal static readonly ObjectSpec<LimitConfig> Limit = new(
        "limit", "How much each key may use: exactly one of \"rate\" and \"concurrency\". A plain string is its \"rate\", for everybody together.", () => new LimitConfig(),
        new FieldSpec<LimitConfig, string?>("rate", "Requests in a time: a count, a slash and a unit or duration.",
            new TextSpec(pattern: RateText.Pattern, examples: ["100/s", "6000/m", "50/10s"])!, c => c.Rate, (c, v) => c with { Rate = v }) { OtherNames = ["average", "requestsPerUnit", "limit", "tokensPerFill"] },
        new FieldSpec<LimitConfig, int>("burst", "What an idle key may use at once, with \"token-bucket\". 0: the quota of one second, at least 1.",
            new CountSpec(ConfigRanges.LimitBurst), c => c.Burst, (c, v) => c with { Burst = v }) { OtherNames = ["maxTokens", "bucketSize"] },
        new FieldSpec<LimitConfig, LimitAlgorithm>("algorithm", "\"token-bucket\": fills evenly and holds a burst; \"sliding-window\": at most the quota in any window of the time.",
            new ChoiceSpec<LimitAlgorithm>(("token-bucket", LimitAlgorithm.TokenBucket), ("sliding-window", LimitAlgorithm.SlidingWindow)), c => c.Algorithm, (c, v) => c with { Algorithm = v }),
        new FieldSpec<LimitConfig, int>("concurrency", "Most requests at a time. 0: it is a \"rate\" that is limited.",
            new CountSpec(ConfigRanges.LimitConcurrency with { Min = 0 }), c => c.Concurrency, (c, v) => c with { Concurrency = v }) { OtherNames = ["amount", "inFlight", "maxConnections", "limitConn"] },
        new FieldSpec<LimitConfig, IReadOnlyList<string>>("key",
            "What is counted by itself, all parts together: \"ip\" (IPv6 by /64), \"ip/24\", \"ip/24,56\" (prefixes of IPv4 and IPv6), \"header:NAME\", \"cookie:NAME\", \"path\", \"host\", \"method\", \"route\", \"claim:NAME\" of who a policy has verified. Empty: one count for everybody.",
            new TextListSpec(new TextSpec(pattern: KeyPart.Pattern, examples: ["ip", "header:X-Api-Key", "path"])), c => c.Key, (c, v) => c with { Key = v }) { OtherNames = ["by", "zone", "descriptors", "sourceCriterion"] },
        new FieldSpec<LimitConfig, bool>("skipIfMissing", "Whether requests without a header or cookie of the key are not limited. false: they share one count.",
            new FlagSpec(), c => c.SkipIfMissing, (c, v) => c with { SkipIfMissing = v }) { OtherNames = ["skipIfAbsent"] },
        new FieldSpec<LimitConfig, int>("keysMax", "Keys that are counted at a time, 16 bytes each; beyond, what counts least is forgotten.",
            new CountSpec(ConfigRanges.LimitKeysMax), c => c.KeysMax, (c, v) => c with { KeysMax = v }) { OtherNames = ["size", "tableSize"] },
        new FieldSpec<LimitConfig, bool>("dryRun", "Whether it only says what it would refuse, in the record and on the meter.",
            new FlagSpec(), c => c.DryRun, (c, v) => c with { DryRun = v }) { OtherNames = ["limitReqDryRun", "shadow"] },
        new FieldSpec<LimitConfig, int>("status", "Status of a refusal.",
            new CountSpec(ConfigRanges.RefusalStatus), c => c.Status, (c, v) => c with { Status = v }) { OtherNames = ["code", "limitReqStatus"] },
        new FieldSpec<LimitConfig, bool>("headers", "Whether answers carry RateLimit and RateLimit-Policy.",
            new FlagSpec(), c => c.Headers, (c, v) => c with { Headers = v }),
        new FieldSpec<LimitConfig, bool>("shared", "Whether all balancers with the same \"redis\" count together what a key uses; for \"token-bucket\".",
            new FlagSpec(), c => c.Shared, (c, v) => c with { Shared = v }) { OtherNames = ["global", "distributed"] })
    {
        FromText = text => new LimitConfig { Rate = text },
    };

    internal static readonly ObjectSpec<ConcurrencyConfig> Concurrency = new(
        "concurrency", "Most requests under way in a cluster: falls when the time to the first byte rises, grows while it is used. \"low\" priority gets 70 % of it, \"normal\" 90 %, \"high\" all.", () => new ConcurrencyConfig(),
        new FieldSpec<ConcurrencyConfig, int>("min", "The limit never falls below.",
            new CountSpec(ConfigRanges.ClusterConcurrency), c => c.Min, (c, v) => c with { Min = v }) { OtherNames = ["minConcurrency"] },
        new FieldSpec<ConcurrencyConfig, int>("max", "The limit never rises above; the same as \"min\" for a fixed limit.",
            new CountSpec(ConfigRanges.ClusterConcurrency), c => c.Max, (c, v) => c with { Max = v }) { OtherNames = ["maxConcurrencyLimit", "limit"] },
        new FieldSpec<ConcurrencyConfig, int>("initial", "The limit at the start. 0: 100, or the nearest to it between \"min\" and \"max\".",
            new CountSpec(ConfigRanges.ClusterConcurrencyInitial), c => c.Initial, (c, v) => c with { Initial = v }),
        new FieldSpec<ConcurrencyConfig, int>("tolerancePercent", "How much latency may rise over its long-run mean before the limit falls.",
            new CountSpec(ConfigRanges.ConcurrencyTolerancePercent), c => c.TolerancePercent, (c, v) => c with { TolerancePercent = v }) { OtherNames = ["rttTolerance", "buffer"] },
        new FieldSpec<ConcurrencyConfig, TimeSpan>("window", "Over which time latencies are averaged.",
            new DurationSpec(ConfigRanges.ConcurrencyWindow), c => c.Window, (c, v) => c with { Window = v }) { OtherNames = ["concurrencyUpdateInterval"] },
        new FieldSpec<ConcurrencyConfig, bool>("dryRun", "Whether it only says what it would turn away, in the record and on the meter.",
            new FlagSpec(), c => c.DryRun, (c, v) => c with { DryRun = v }))
    {
        IsDefaultForTrue = true,
    };

    /// <summary>Names of limits, or an object with what a request costs with each.</summary>
    internal sealed class CostsSpec : ValueSpec<IReadOnlyDictionary<string, int>>
    {
        private static readonly TextListSpec Names = new(new TextSpec());
        private static readonly MapSpec<int> Costs = new(new CountSpec(ConfigRanges.LimitCost), () => 1);

        internal override bool TryRead(ConfigNode node, string path, ReadContext context, out IReadOnlyDictionary<string, int> value)
        {
            if (node.Kind == ConfigNodeKind.Object) return Costs.TryRead(node, path, context, out value);
            var costs = new Dictionary<string, int>(StringComparer.Ordinal);
            value = costs;
            if (node.Kind is not (ConfigNodeKind.String or ConfigNodeKind.Array)) return Wrong(node, path, context, "names of limits, or an object with their costs");
            bool ok = Names.TryRead(node, path, context, out IReadOnlyList<string> names);
            for (int i = 0; i < names.Count; i++)
            {
                if (costs.TryAdd(names[i], 1) || names[i].Length == 0) continue;
                context.Add(node.Items[i], ConfigPath.Item(path, i), $"{CharacterText.Quote(names[i])} is given twice");
                ok = false;
            }
            return ok;
        }

        internal override void WriteValue(Utf8JsonWriter json, IReadOnlyDictionary<string, int> value) => Costs.WriteValue(json, value);

        internal override void WriteSchema(SchemaWriter schema) => schema.AnyOf(
            json => json.WriteString("type", "string"),
            json =>
            {
                json.WriteString("type", "array");
                json.WriteStartObject("items");
                json.WriteString("type", "string");
                json.WriteEndObject();
            },
            _ => Costs.WriteSchema(schema));
    }
}
