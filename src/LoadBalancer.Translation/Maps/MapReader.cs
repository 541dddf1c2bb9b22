using System.Globalization;
using System.Text.Json;
using LoadBalancer.Translation.Messages;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Translation.Maps;

/// <summary>Reads and checks maps. All problems are found at once; what has one is read on as well as it can be.</summary>
internal sealed class MapReader
{
    private const int RoutesMax = 5000, TypesMax = 1000, ProblemsMax = 200;

    private readonly List<MapProblem> _problems = [];
    private readonly List<MapProblem> _losses = [];
    private readonly Dictionary<string, TypeRules> _types = new(StringComparer.Ordinal);
    private bool _dropsUnknown;

    private MapReader()
    {
    }

    /// <summary>The map; null when it has problems.</summary>
    internal static VersionMap? Read(ReadOnlyMemory<byte> json, out List<MapProblem> problems)
    {
        var reader = new MapReader();
        problems = reader._problems;
        if (json.Length > VersionMap.BytesMax)
        {
            problems.Add(new("", $"the map has {json.Length} bytes, expected at most {VersionMap.BytesMax}"));
            return null;
        }
        if (json.Span.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) json = json[3..];
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 64, AllowDuplicateProperties = false });
            return reader.Read(new MapNode(document.RootElement, "", problems));
        }
        catch (JsonException e)
        {
            string place = e.LineNumber is { } line ? $" at line {line + 1}, byte {e.BytePositionInLine + 1}" : "";
            problems.Add(new("", $"the map is no JSON{place}: {e.Message.Split(" LineNumber", 2)[0]}"));
            return null;
        }
    }

    private VersionMap? Read(MapNode root)
    {
        if (!root.IsObject)
        {
            root.Expected("an object with \"routes\"");
            return null;
        }
        root.Only("$schema", "routes", "types", "errors", "unknown", "unmatched", "onError");
        _dropsUnknown = root.Choice("unknown", "pass", "drop") == 1;
        bool refusesUnmatched = root.Choice("unmatched", "pass", "refuse") == 1, passes = root.Choice("onError", "refuse", "pass") == 1;
        Types(root);
        MessageRules? errors = root.Find("errors") is { } e ? Message(e) : null;
        List<OperationRules> operations = Routes(root, errors);
        CheckTypes(operations);
        var rules = new MapRules { Operations = operations, Types = _types, Losses = _losses, RefusesUnmatched = refusesUnmatched, PassesUnconvertible = passes };
        return Compile(rules);
    }

    private VersionMap? Compile(MapRules rules)
    {
        // Both directions find the same faults of rules that are wrong in both.
        var known = new HashSet<string>(_problems.Select(p => p.Path), StringComparer.Ordinal);
        var told = new HashSet<MapProblem>();
        void Report(string path, string message)
        {
            var problem = new MapProblem(path, message);
            if (!known.Contains(path) && told.Add(problem)) _problems.Add(problem);
        }
        PlanSource Source(MapVersion from) => new(new PlanCompiler(rules.Types, from, rules.PassesUnconvertible, Report), from, rules.PassesUnconvertible, Report);
        PlanSource up = Source(MapVersion.V1), down = Source(MapVersion.V2);
        var forV1 = new Translator(rules.Operations, MapVersion.V1, up, down);
        var forV2 = new Translator(rules.Operations, MapVersion.V2, down, up);
        if (_problems.Count > ProblemsMax) _problems.RemoveRange(ProblemsMax, _problems.Count - ProblemsMax);
        return _problems.Count == 0 ? new VersionMap(rules, forV1, forV2) : null;
    }

    private void Types(MapNode root)
    {
        if (root.Find("types") is not { } types) return;
        if (!types.IsObject) types.Expected("an object of names and their rules");
        foreach ((string name, MapNode node) in types.Members())
        {
            if (_types.Count == TypesMax)
            {
                types.Wrong($"has more than {TypesMax} types");
                return;
            }
            if (node.IsObject) node.Only("fields", "unknown");
            MapNode? fields = node.IsObject ? node.Find("fields") : node;
            if (fields is null) node.Wrong("has no \"fields\"; expected a list of rules");
            List<FieldRule> rules = fields is { } list ? RuleReader.Rules(list, RuleUse.Document) : [];
            foreach (FieldRule rule in rules)
                if (rule.Type is not null && rule.V1 is [{ IsRoot: true }]) node.Wrong($"is \"{rule.Type}\" itself by {rule.MapPath}; expected the name of that type where this one is used");
            Note(rules);
            _types[name] = new TypeRules(node.Path, rules, Drops(node));
        }
    }

    // What the map declares as lost, for who checks what comes back.
    private void Note(IEnumerable<FieldRule> rules)
    {
        foreach (FieldRule rule in rules)
        {
            string paths = string.Join(" and ", rule.V1.Concat(rule.V2).Select(p => $"\"{p}\"").Distinct());
            if (rule.IsLossy) _losses.Add(new(rule.MapPath, $"{paths}: lossy"));
            else if (rule.Default(MapVersion.V1) is not null || (rule.Default(MapVersion.V2) is not null && rule.V1.Length > 0)) _losses.Add(new(rule.MapPath, $"{paths}: what is absent and what is the default become one"));
        }
    }

    private bool Drops(MapNode node) => node.IsObject && node.Find("unknown") is not null ? node.Choice("unknown", "pass", "drop") == 1 : _dropsUnknown;

    private List<OperationRules> Routes(MapNode root, MessageRules? errors)
    {
        var operations = new List<OperationRules>();
        if (root.Find("routes") is not { } routes)
        {
            root.Wrong("has no \"routes\"; expected a list such as [{ \"v1\": \"GET /v1/users/{id}\", \"v2\": \"GET /v2/accounts/{id}\" }]");
            return operations;
        }
        if (!routes.IsArray) routes.Expected("a list");
        foreach (MapNode node in routes.Items())
        {
            if (operations.Count == RoutesMax)
            {
                routes.Wrong($"has more than {RoutesMax} routes");
                break;
            }
            if (Route(node, errors) is { } operation) operations.Add(operation);
        }
        foreach (MapVersion version in (ReadOnlySpan<MapVersion>)[MapVersion.V1, MapVersion.V2])
        {
            var shapes = new Dictionary<string, OperationRules>(StringComparer.Ordinal);
            foreach (OperationRules operation in operations)
            {
                string shape = operation.Template(version).Shape;
                if (!shapes.TryAdd(shape, operation)) _problems.Add(new($"{operation.MapPath}.{(version == MapVersion.V1 ? "v1" : "v2")}", $"\"{operation.Template(version).Text}\" matches the same as {shapes[shape].MapPath}, so one of them is never used; expected different templates"));
            }
        }
        return operations;
    }

    private OperationRules? Route(MapNode node, MessageRules? errors)
    {
        if (!node.IsObject)
        {
            node.Expected("a route, such as { \"v1\": \"GET /v1/users/{id}\", \"v2\": \"GET /v2/accounts/{id}\" }");
            return null;
        }
        node.Only("v1", "v2", "query", "request", "response", "errors");
        PathTemplate? v1 = Template(node, "v1"), v2 = Template(node, "v2");
        List<FieldRule> query = node.Find("query") is { } q ? RuleReader.Rules(q, RuleUse.Query) : [];
        Note(query);
        MessageRules? request = node.Find("request") is { } r ? Message(r) : null, response = node.Find("response") is { } s ? Message(s, "status") : null;
        MessageRules? own = node.Find("errors") is { } e ? Message(e) : null;
        List<(int, int)> status = node.Find("response")?.Find("status") is { } pairs ? Status(pairs) : [];
        if (v1 is null || v2 is null) return null;
        foreach (string variable in v1.Variables.Except(v2.Variables)) node.Wrong($"has {Name(variable)} in v1 but not in v2; each variable has to be on both sides");
        foreach (string variable in v2.Variables.Except(v1.Variables)) node.Wrong($"has {Name(variable)} in v2 but not in v1; each variable has to be on both sides");
        if ((v1.Method is null) != (v2.Method is null)) node.Wrong("has a method on one side only; expected one on both, or none for every method");
        return new OperationRules { MapPath = node.Path, V1 = v1, V2 = v2, Query = query, Request = request, Response = response, Errors = own ?? errors, Status = status };
    }

    private static string Name(string variable) => variable == "**" ? "\"**\"" : $"\"{{{variable}}}\"";

    private static PathTemplate? Template(MapNode node, string name)
    {
        if (node.Find(name) is not { } text)
        {
            node.Wrong($"has no \"{name}\"; expected a method and a path, such as \"GET /{name}/users/{{id}}\"");
            return null;
        }
        if (!text.IsText)
        {
            text.Expected("a method and a path");
            return null;
        }
        PathTemplate? template = PathTemplate.Parse(text.Text, out string error);
        if (template is null) text.Wrong($"\"{text.Text}\" {error}");
        return template;
    }

    private MessageRules? Message(MapNode node, string also = "fields")
    {
        if (!node.IsObject)
        {
            node.Expected("an object with \"fields\", \"type\" or \"headers\"");
            return null;
        }
        node.Only("fields", "type", "unknown", "headers", also);
        List<FieldRule> headers = node.Find("headers") is { } h ? RuleReader.Rules(h, RuleUse.Header) : [];
        foreach (FieldRule rule in headers)
            foreach (byte[]? json in (ReadOnlySpan<byte[]?>)[rule.Constant, rule.DefaultV1, rule.DefaultV2])
                if (json is not null && !FieldNames.IsValue(TextPlan.TextOf(json))) _problems.Add(new(rule.MapPath, "writes what is no value of a header field: it has a control character, or a space at an end"));
        Note(headers);
        string? type = null;
        if (node.Find("type") is { } named)
        {
            if (!named.IsText) named.Expected("the name of one of \"types\"");
            else if (!_types.ContainsKey(named.Text)) named.Wrong($"there is no type \"{named.Text}\"{Known()}");
            else type = named.Text;
            if (node.Find("fields") is not null) named.Wrong("stands beside \"fields\"; expected one of them");
            node.Find("unknown")?.Wrong("stands beside \"type\", which says itself what becomes of unknown fields");
        }
        List<FieldRule>? fields = node.Find("fields") is { } f ? RuleReader.Rules(f, RuleUse.Document) : null;
        if (fields is not null) Note(fields);
        bool drops = Drops(node);
        if (fields is null && type is null && node.Find("unknown") is not null) node.Find("unknown")!.Value.Wrong("has no effect without \"fields\"");
        return new MessageRules(fields is null && type is null ? null : new BodyRules(node.Path, fields ?? [], type, drops), headers);
    }

    private string Known() => _types.Count == 0 ? "; there are no \"types\"" : $"; expected one of {string.Join(", ", _types.Keys.Take(10).Select(k => $"\"{k}\""))}";

    private static List<(int, int)> Status(MapNode node)
    {
        var pairs = new List<(int V1, int V2)>();
        if (!node.IsObject) node.Expected("an object such as { \"200\": 202 }: status of v1, status of v2");
        foreach ((string name, MapNode value) in node.Members())
        {
            if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int v1) || v1 is < 200 or > 599) value.Wrong($"\"{name}\" is no status of a response; expected 200 to 599");
            else if (value.Kind != JsonValueKind.Number || !value.Value.TryGetInt32(out int v2) || v2 is < 200 or > 599) value.Expected("a status from 200 to 599");
            else if (v1 is 204 or 205 or 304 || v2 is 204 or 205 or 304) value.Wrong("204, 205 and 304 never have a body, so no other status can become one of them, nor they another");
            else if (pairs.Exists(p => p.V2 == v2)) value.Wrong($"{v2} of v2 stands for {pairs.Find(p => p.V2 == v2).V1} too, so nobody knows which it is for clients of v1; expected one");
            else pairs.Add((v1, v2));
        }
        return pairs;
    }

    private void CheckTypes(List<OperationRules> operations)
    {
        IEnumerable<FieldRule> all = _types.Values.SelectMany(t => t.Fields)
            .Concat(operations.SelectMany(o => new[] { o.Request, o.Response, o.Errors }).SelectMany(m => m?.Body?.Fields ?? []));
        foreach (FieldRule rule in all.DistinctBy(r => r.MapPath))
            if (rule.Type is { Length: > 0 } type && !_types.ContainsKey(type)) _problems.Add(new($"{rule.MapPath}.type", $"there is no type \"{type}\"{Known()}"));
    }
}
