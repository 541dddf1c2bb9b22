using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Translation.Maps;
using LoadBalancer.Translation.RoundTrips;

namespace LoadBalancer.Edge.Rehearsal;

/// <summary>A file of <c>lb test</c>: a configuration, what its destinations answer, and requests with what is expected of them.</summary>
internal sealed record TestFile
{
    internal required string Path { get; init; }

    /// <summary>The configuration file, with its directory.</summary>
    internal required string Config { get; init; }

    /// <summary>Stands for the environment, before the real one.</summary>
    internal IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>What the clock shows at the start; null for the real time.</summary>
    internal DateTimeOffset? Now { get; init; }

    internal IReadOnlyDictionary<string, IReadOnlyList<FakeAnswer>> Destinations { get; init; } = new Dictionary<string, IReadOnlyList<FakeAnswer>>();

    internal IReadOnlyList<TestCase> Tests { get; init; } = [];

    internal IReadOnlyList<RoundTripCheck> RoundTrips { get; init; } = [];
}

/// <summary>Documents that must come back from the other version as they were.</summary>
/// <param name="Policy">A policy of kind "translate".</param>
/// <param name="Samples">How many are made of the map's rules, for each kind of document.</param>
/// <param name="Documents">Given ones: operation (its v1 side), use, version and JSON.</param>
internal sealed record RoundTripCheck(string Policy, int Samples, IReadOnlyList<(string Operation, BodyUse Use, MapVersion Version, string Json)> Documents);

/// <summary>One request and what is expected.</summary>
internal sealed record TestCase
{
    internal required string Name { get; init; }

    internal required RehearsedRequest Request { get; init; }

    internal IReadOnlyDictionary<string, IReadOnlyList<FakeAnswer>> Destinations { get; init; } = new Dictionary<string, IReadOnlyList<FakeAnswer>>();

    internal required Expectation Expect { get; init; }
}

/// <summary>A test file cannot be read: says where and why.</summary>
internal sealed class TestFileException(string message) : Exception(message);

/// <summary>Reads test files: JSON with comments and trailing commas. Unknown keys are refused, as in the configuration.</summary>
internal static class TestFileReader
{
    private const int BytesMax = 16 << 20;

    /// <exception cref="TestFileException">It cannot be read.</exception>
    internal static TestFile Read(string path)
    {
        JsonNode? root;
        try
        {
            var info = new FileInfo(path);
            if (info.Length > BytesMax) throw new TestFileException($"{path}: is larger than {BytesMax} bytes");
            root = JsonNode.Parse(File.ReadAllBytes(path), documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 64 });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new TestFileException($"{path}: {e.Message}");
        }
        return new Reader(path).File(root);
    }

    private sealed class Reader(string path)
    {
        internal TestFile File(JsonNode? root)
        {
            JsonObject file = Object(root, "");
            Known(file, "", "$schema", "config", "env", "now", "destinations", "tests", "roundTrips");
            string directory = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path)) ?? "";
            JsonArray tests = file["tests"] as JsonArray ?? throw Wrong("tests", "is missing; expected a list of requests");
            return new TestFile
            {
                Path = path,
                Config = System.IO.Path.Combine(directory, Text(file["config"], "config") ?? "lb.json"),
                Environment = file["env"] is { } env ? Object(env, "env").ToDictionary(one => one.Key, one => Text(one.Value, $"env.{one.Key}")!) : new Dictionary<string, string>(),
                Now = Text(file["now"], "now") is { } now ? Time(now) : null,
                Destinations = Destinations(file["destinations"], "destinations"),
                RoundTrips = file["roundTrips"] is { } roundTrips ? [.. Object(roundTrips, "roundTrips").Select(one => RoundTrip(one.Key, one.Value, ConfigPath.Member("roundTrips", one.Key)))] : [],
                Tests = [.. tests.Select((test, index) => Case(test, ConfigPath.Item("tests", index), index))],
            };
        }

        // A number is that many samples.
        private RoundTripCheck RoundTrip(string policy, JsonNode? node, string at)
        {
            if (node is JsonValue value && value.TryGetValue(out int samples)) return new(policy, samples, []);
            JsonObject check = Object(node, at);
            Known(check, at, "samples", "documents");
            JsonArray documents = check["documents"] as JsonArray ?? (check["documents"] is null ? [] : throw Wrong($"{at}.documents", "expected a list"));
            return new(policy, Number(check["samples"], $"{at}.samples") ?? 20, [.. documents.Select((document, index) => Document(document, ConfigPath.Item($"{at}.documents", index)))]);
        }

        private (string, BodyUse, MapVersion, string) Document(JsonNode? node, string at)
        {
            JsonObject document = Object(node, at);
            Known(document, at, "operation", "use", "version", "document");
            return (Text(document["operation"], $"{at}.operation") ?? throw Wrong($"{at}.operation", "is missing; expected the v1 side of a route of the map, such as \"GET /v1/users/{id}\""),
                Text(document["use"], $"{at}.use") switch { "request" => BodyUse.Request, null or "response" => BodyUse.Response, "error" => BodyUse.Error, _ => throw Wrong($"{at}.use", "expected \"request\", \"response\" or \"error\"") },
                Text(document["version"], $"{at}.version") switch { null or "v1" => MapVersion.V1, "v2" => MapVersion.V2, _ => throw Wrong($"{at}.version", "expected \"v1\" or \"v2\"") },
                (document["document"] is { } content ? TextOf(content) : null) ?? throw Wrong($"{at}.document", "is missing"));
        }

        private DateTimeOffset Time(string text) =>
            DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time) ? time : throw Wrong("now", $"\"{text}\" is no time; expected one such as \"2026-01-02T03:04:05Z\"");

        private TestCase Case(JsonNode? node, string at, int index)
        {
            JsonObject test = Object(node, at);
            Known(test, at, "name", "request", "destinations", "expect");
            RehearsedRequest request = Request(test["request"], $"{at}.request");
            return new TestCase
            {
                Name = Text(test["name"], $"{at}.name") ?? string.Create(CultureInfo.InvariantCulture, $"{index + 1}: {request.Method} {request.Url}"),
                Request = request,
                Destinations = Destinations(test["destinations"], $"{at}.destinations"),
                Expect = Expected(test["expect"], $"{at}.expect"),
            };
        }

        private RehearsedRequest Request(JsonNode? node, string at)
        {
            // "GET /path" is short for an object.
            if (node is JsonValue text && text.TryGetValue(out string? line))
            {
                string[] parts = line.Split(' ');
                if (parts.Length > 2) throw Wrong(at, $"\"{line}\" is no request; expected a method, a space and a URL or path");
                return parts.Length == 1 ? new RehearsedRequest { Url = Url(line, at) } : new RehearsedRequest { Method = parts[0], Url = Url(parts[1], at) };
            }
            JsonObject request = Object(node, at);
            Known(request, at, "method", "url", "headers", "body", "from", "listener");
            (byte[]? body, string? contentType) = Body(request["body"]);
            return new RehearsedRequest
            {
                Method = Text(request["method"], $"{at}.method") ?? (body is null ? "GET" : "POST"),
                Url = Url(Text(request["url"], $"{at}.url") ?? throw Wrong($"{at}.url", "is missing; expected a URL or a path"), $"{at}.url"),
                Headers = WithType(Headers(request["headers"], $"{at}.headers"), contentType),
                Body = body,
                From = Text(request["from"], $"{at}.from") is { } from ? Address(from, $"{at}.from") : "127.0.0.1",
                Listener = Text(request["listener"], $"{at}.listener"),
            };
        }

        private string Address(string text, string at) => System.Net.IPAddress.TryParse(text, out _) ? text : throw Wrong(at, $"\"{text}\" is no IP address");

        private string Url(string text, string at) =>
            text.StartsWith('/') || text.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("https://", StringComparison.OrdinalIgnoreCase)
                ? text : throw Wrong(at, $"\"{text}\" is no URL; expected \"http://host/path\" or \"/path\"");

        private Dictionary<string, IReadOnlyList<FakeAnswer>> Destinations(JsonNode? node, string at)
        {
            var destinations = new Dictionary<string, IReadOnlyList<FakeAnswer>>(StringComparer.Ordinal);
            if (node is null) return destinations;
            foreach ((string cluster, JsonNode? answer) in Object(node, at))
            {
                string item = ConfigPath.Member(at, cluster);
                destinations[cluster] = answer is JsonArray list ? [.. list.Select((one, index) => Answer(one, ConfigPath.Item(item, index)))] : [Answer(answer, item)];
            }
            return destinations;
        }

        private FakeAnswer Answer(JsonNode? node, string at)
        {
            if (node is JsonValue value && value.TryGetValue(out int status)) return new FakeAnswer { Status = Status(status, at) };
            JsonObject answer = Object(node, at);
            Known(answer, at, "status", "headers", "body");
            (byte[]? body, string? contentType) = Body(answer["body"]);
            return new FakeAnswer { Status = Status(Number(answer["status"], $"{at}.status") ?? 200, $"{at}.status"), Headers = WithType(Headers(answer["headers"], $"{at}.headers"), contentType), Body = body ?? [] };
        }

        private int Status(int status, string at) => status is >= 200 and <= 599 ? status : throw Wrong(at, $"{status} is no status of an answer; expected 200 to 599");

        private Expectation Expected(JsonNode? node, string at)
        {
            if (node is JsonValue value && value.TryGetValue(out int status)) return new Expectation { Status = Status(status, at) };
            JsonObject expect = Object(node, at);
            Known(expect, at, "status", "headers", "body", "bodyContains", "route", "cluster", "policies", "reason", "detail", "upstream");
            return new Expectation
            {
                Status = Number(expect["status"], $"{at}.status"),
                Headers = ExpectedHeaders(expect["headers"], $"{at}.headers"),
                Body = expect["body"]?.DeepClone(),
                BodyContains = Text(expect["bodyContains"], $"{at}.bodyContains"),
                Route = Text(expect["route"], $"{at}.route"),
                Cluster = Text(expect["cluster"], $"{at}.cluster"),
                Policies = expect["policies"] is { } policies ? [.. Object(policies, $"{at}.policies").Select(one => new KeyValuePair<string, string>(one.Key, Verdict(one.Value, $"{at}.policies.{one.Key}")))] : [],
                Reason = Text(expect["reason"], $"{at}.reason"),
                Detail = Text(expect["detail"], $"{at}.detail"),
                Upstream = expect.TryGetPropertyValue("upstream", out JsonNode? upstream) ? Upstream(upstream, $"{at}.upstream") : null,
            };
        }

        private string Verdict(JsonNode? node, string at) => node is JsonValue value && value.TryGetValue(out int status)
            ? status.ToString(CultureInfo.InvariantCulture)
            : Text(node, at) is "pass" or "unseen" ? node!.GetValue<string>() : throw Wrong(at, "expected \"pass\", \"unseen\" or the status of its answer");

        // null: nothing is forwarded.
        private UpstreamExpectation Upstream(JsonNode? node, string at)
        {
            if (node is null) return new UpstreamExpectation { IsNone = true };
            JsonObject upstream = Object(node, at);
            Known(upstream, at, "method", "target", "headers", "body");
            return new UpstreamExpectation
            {
                Method = Text(upstream["method"], $"{at}.method"),
                Target = Text(upstream["target"], $"{at}.target"),
                Headers = ExpectedHeaders(upstream["headers"], $"{at}.headers"),
                Body = upstream["body"]?.DeepClone(),
            };
        }

        private List<KeyValuePair<string, string?>> ExpectedHeaders(JsonNode? node, string at) =>
            node is null ? [] : [.. Object(node, at).Select(header => new KeyValuePair<string, string?>(header.Key, header.Value is null ? null : Text(header.Value, $"{at}.{header.Key}")))];

        private List<KeyValuePair<string, string>> Headers(JsonNode? node, string at)
        {
            var headers = new List<KeyValuePair<string, string>>();
            if (node is null) return headers;
            foreach ((string name, JsonNode? value) in Object(node, at))
            {
                // A list is a line for each.
                if (value is JsonArray lines) headers.AddRange(lines.Select((line, index) => new KeyValuePair<string, string>(name, Text(line, $"{at}.{name}[{index}]") ?? "")));
                else headers.Add(new(name, Text(value, $"{at}.{name}") ?? ""));
            }
            return headers;
        }

        private static List<KeyValuePair<string, string>> WithType(List<KeyValuePair<string, string>> headers, string? contentType)
        {
            if (contentType is not null && !headers.Exists(header => header.Key.Equals("Content-Type", StringComparison.OrdinalIgnoreCase))) headers.Add(new("Content-Type", contentType));
            return headers;
        }

        // A string is text, anything else JSON.
        private static (byte[]? Body, string? ContentType) Body(JsonNode? node) => node switch
        {
            null => (null, null),
            JsonValue value when value.TryGetValue(out string? text) => (Encoding.UTF8.GetBytes(text), null),
            _ => (Encoding.UTF8.GetBytes(TextOf(node)), "application/json"),
        };

        // As a person writes it: "+" stays "+".
        private static string TextOf(JsonNode node)
        {
            var bytes = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) node.WriteTo(json);
            return Encoding.UTF8.GetString(bytes.WrittenSpan);
        }

        private JsonObject Object(JsonNode? node, string at) => node as JsonObject ?? throw Wrong(at, "expected an object");

        private string? Text(JsonNode? node, string at) => node switch
        {
            null => null,
            JsonValue value when value.TryGetValue(out string? text) => text,
            JsonValue value when value.TryGetValue(out int number) => number.ToString(CultureInfo.InvariantCulture),
            _ => throw Wrong(at, "expected a string"),
        };

        private int? Number(JsonNode? node, string at) => node is null ? null : node is JsonValue value && value.TryGetValue(out int number) ? number : throw Wrong(at, "expected a whole number");

        private void Known(JsonObject node, string at, params string[] keys)
        {
            foreach ((string key, _) in node)
                if (Array.IndexOf(keys, key) < 0) throw Wrong(ConfigPath.Member(at, key), $"unknown key{Suggestion.Text(key, keys)}");
        }

        private TestFileException Wrong(string at, string message) => new($"{path}: {(at.Length == 0 ? "the file" : at)}: {message}");
    }
}
