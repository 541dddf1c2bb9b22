using System.Buffers;
using System.Globalization;
using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Gateway.Versioning;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of <see cref="TranslateConfig"/>. The map itself is read by what uses it.</summary>
internal static class TranslateSpecs
{
    internal static readonly ObjectSpec<TranslateConfig> Translate = new(
        "translatePolicy", "Translates between two versions of an API by one map: requests from the clients' version, answers back to it. A plain string is its \"map\".", () => new TranslateConfig(),
        new FieldSpec<TranslateConfig, MapText>("map", "File of the map, relative to this file; or the map itself.",
            new MapTextSpec(), c => new(c.Map, c.Inline), (c, v) => c with { Map = v.File, Inline = v.Json }) { IsRequired = true, OtherNames = ["file", "mapping", "rules"] },
        new FieldSpec<TranslateConfig, TranslateDirection>("direction", "\"v1-to-v2\": clients speak v1, destinations v2; \"v2-to-v1\": the other way round.",
            new ChoiceSpec<TranslateDirection>(("v1-to-v2", TranslateDirection.V1ToV2), ("v2-to-v1", TranslateDirection.V2ToV1)), c => c.Direction, (c, v) => c with { Direction = v }) { OtherNames = ["reverse"] },
        new FieldSpec<TranslateConfig, string?>("etagSuffix", "What entity tags of translated answers end with; to be changed with the map. Left out: \";v1\", or \";v2\" for clients of v2.",
            new TextSpec(examples: [";v1", ";v1-2"])!, c => c.ETagSuffix, (c, v) => c with { ETagSuffix = v }),
        new FieldSpec<TranslateConfig, long>("bodyBytesMax", "Longest document, also when it has been decompressed. Longer requests get 413; longer answers become an error.",
            new SizeSpec(TranslateConfig.BodyBytesRange), c => c.BodyBytesMax, (c, v) => c with { BodyBytesMax = (int)Math.Clamp(v, 0, int.MaxValue) }) { OtherNames = ["maxBodySize", "bufferSize"] },
        new FieldSpec<TranslateConfig, int>("depthMax", "Objects and arrays within one another.",
            new CountSpec(TranslateConfig.DepthRange), c => c.DepthMax, (c, v) => c with { DepthMax = v }),
        new FieldSpec<TranslateConfig, bool>("refuseCompressed", "Whether compressed documents are refused (requests 415, answers 502). false: gzip, br and deflate are decompressed.",
            new FlagSpec(), c => c.RefusesCompressed, (c, v) => c with { RefusesCompressed = v }),
        new FieldSpec<TranslateConfig, bool>("refuseOtherContent", "Whether content that is no JSON is refused where the map has rules for it (requests 415, answers 502). false: it passes as it is.",
            new FlagSpec(), c => c.RefusesOtherContent, (c, v) => c with { RefusesOtherContent = v }),
        new FieldSpec<TranslateConfig, DateTimeOffset?>("deprecated", "Since when the clients' version is deprecated, for the Deprecation field (RFC 9745): \"2026-11-29\" or \"2026-11-29T12:00:00Z\".",
            new DateSpec(), c => c.Deprecated, (c, v) => c with { Deprecated = v }) { OtherNames = ["deprecation", "deprecatedAt", "deprecationDate"] },
        new FieldSpec<TranslateConfig, DateTimeOffset?>("sunset", "When the clients' version will cease, for the Sunset field (RFC 8594).",
            new DateSpec(), c => c.Sunset, (c, v) => c with { Sunset = v }) { OtherNames = ["sunsetAt", "sunsetDate", "endOfLife"] },
        new FieldSpec<TranslateConfig, string?>("deprecationLink", "Page about the deprecation, for Link with rel=\"deprecation\".",
            new TextSpec(examples: ["https://example.com/v1-goes"])!, c => c.DeprecationLink, (c, v) => c with { DeprecationLink = v }),
        new FieldSpec<TranslateConfig, string?>("sunsetLink", "Page about the end, for Link with rel=\"sunset\".",
            new TextSpec()!, c => c.SunsetLink, (c, v) => c with { SunsetLink = v }),
        new FieldSpec<TranslateConfig, string?>("successorLink", "Where the next version is, for Link with rel=\"successor-version\".",
            new TextSpec(examples: ["/v2"])!, c => c.SuccessorLink, (c, v) => c with { SuccessorLink = v }) { OtherNames = ["successor", "successorVersion"] })
    {
        FromText = text => new TranslateConfig { Map = text },
    };

    /// <summary>A map in a file, or as it stands in the configuration.</summary>
    internal readonly record struct MapText(string? File, ReadOnlyMemory<byte>? Json);

    private sealed class MapTextSpec : ValueSpec<MapText>
    {
        internal override bool TryRead(ConfigNode node, string path, ReadContext context, out MapText value)
        {
            value = default;
            if (node.Kind == ConfigNodeKind.String)
            {
                if (!Substitution.TryResolve(node, path, context, out string file)) return false;
                value = new(file, null);
                return true;
            }
            if (node.Kind != ConfigNodeKind.Object) return Wrong(node, path, context, "the file of a map, or the map itself");
            var json = new ArrayBufferWriter<byte>();
            using (var writer = new Utf8JsonWriter(json)) Write(writer, node);
            value = new(null, json.WrittenMemory);
            return true;
        }

        // Texts as they stand: in a map "${x}" is no variable.
        private static void Write(Utf8JsonWriter writer, ConfigNode node)
        {
            switch (node.Kind)
            {
                case ConfigNodeKind.Object:
                    writer.WriteStartObject();
                    foreach (ConfigMember member in node.Members)
                    {
                        writer.WritePropertyName(member.Key);
                        Write(writer, member.Value);
                    }
                    writer.WriteEndObject();
                    break;
                case ConfigNodeKind.Array:
                    writer.WriteStartArray();
                    foreach (ConfigNode item in node.Items) Write(writer, item);
                    writer.WriteEndArray();
                    break;
                case ConfigNodeKind.String:
                    writer.WriteStringValue(node.Text);
                    break;
                case ConfigNodeKind.Number:
                    writer.WriteRawValue(node.Text);
                    break;
                case ConfigNodeKind.Null:
                    writer.WriteNullValue();
                    break;
                default:
                    writer.WriteBooleanValue(node.Kind == ConfigNodeKind.True);
                    break;
            }
        }

        internal override void WriteValue(Utf8JsonWriter json, MapText value)
        {
            if (value.Json is { } map) json.WriteRawValue(map.Span);
            else json.WriteStringValue(value.File);
        }

        internal override void WriteSchema(SchemaWriter schema) => schema.AnyOf(json => json.WriteString("type", "string"), json => json.WriteString("type", "object"));
    }

    /// <summary>A day, or a time with its offset.</summary>
    private sealed class DateSpec : ScalarSpec<DateTimeOffset?>
    {
        private static readonly string[] Forms = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:sszzz"];

        private protected override string Expected => "a date such as \"2026-11-29\" or \"2026-11-29T12:00:00Z\"";

        private protected override bool TryText(string text, bool isSubstituted, out DateTimeOffset? value, out string error)
        {
            error = "";
            bool ok = DateTimeOffset.TryParseExact(text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset date);
            value = ok ? date : null;
            return ok;
        }

        internal override void WriteValue(Utf8JsonWriter json, DateTimeOffset? value)
        {
            if (value is { } date) json.WriteStringValue(date.ToUniversalTime().ToString(Forms[1], CultureInfo.InvariantCulture));
            else json.WriteNullValue();
        }

        internal override void WriteSchema(SchemaWriter schema) => schema.Alternatives(json =>
        {
            json.WriteString("type", "string");
            json.WriteString("pattern", @"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2}))?$");
        });
    }
}
