namespace LoadBalancer.Edge.Conversion.Yarp;

/// <summary>What the transforms of a route become.</summary>
internal sealed class YarpTransforms
{
    private static readonly string[] s_copies = ["RequestHeadersCopy", "ResponseHeadersCopy", "ResponseTrailersCopy"];

    private readonly DraftObject _headers = new();

    private YarpTransforms(string? path, YarpHosts host) => (Path, Host) = (path, host);

    /// <summary>The path that is forwarded, as a pattern; null for the one that came.</summary>
    internal string? Path { get; }

    /// <summary>Whose Host is sent.</summary>
    internal YarpHosts Host { get; }

    internal static YarpTransforms Of(YarpSection route, string path)
    {
        DraftObject set = new(), add = new(), responseSet = new(), responseAdd = new();
        List<string> remove = [], responseRemove = [];
        string? to = null;
        YarpHosts host = YarpHosts.Destination;
        foreach (YarpSection transform in route.List("Transforms"))
        {
            if (transform.Text("PathRemovePrefix") is { } prefix && path.EndsWith("/**", StringComparison.Ordinal) && to is null && path.StartsWith(prefix.TrimEnd('/') + "/", StringComparison.Ordinal)) to = path[prefix.TrimEnd('/').Length..];
            else if (transform.Text("PathPrefix") is { } before) to = $"/{before.Trim('/')}{to ?? path}";
            else if (transform.Text("RequestHeader") is { } field)
            {
                if (IsOwn(field))
                {
                    transform.Differs("RequestHeader", $"lb sets {field} by itself; left out");
                    transform.UseAll();
                }
                else Field(transform, field, set, add);
            }
            else if (transform.Text("RequestHeaderRemove") is { } removed) remove.Add(removed);
            else if (transform.Text("ResponseHeader") is { } answered)
            {
                Field(transform, answered, responseSet, responseAdd);
                When(transform, "ResponseHeader");
            }
            else if (transform.Text("ResponseHeaderRemove") is { } hidden)
            {
                responseRemove.Add(hidden);
                When(transform, "ResponseHeaderRemove");
            }
            else if (transform.Has("RequestHeaderOriginalHost"))
            {
                if (transform.Flag("RequestHeaderOriginalHost") is { } keeps) host = keeps ? YarpHosts.Client : YarpHosts.Destination;
            }
            else if (transform.Has("X-Forwarded")) Forwarded(transform);
            else if (s_copies.FirstOrDefault(transform.Has) is { } copy)
            {
                if (transform.Flag(copy) == false) transform.Differs(copy, "left out: lb copies all but what policies of the kind \"headers\" remove");
            }
            else if (!transform.Has("PathRemovePrefix")) transform.Left();
            else transform.Differs("PathRemovePrefix", "is not what the path begins with; left out");
        }
        var transforms = new YarpTransforms(to, host);
        transforms._headers.Add("request", new DraftObject().Add("remove", remove).Add("set", set).Add("add", add));
        transforms._headers.Add("response", new DraftObject().Add("remove", responseRemove).Add("set", responseSet).Add("add", responseAdd));
        return transforms;
    }

    /// <summary>Writes the changes of header fields as a policy; its name, or null where there are none.</summary>
    internal string? WriteHeaders(YarpSection route, string name, DraftObject policies)
    {
        if (_headers.Count == 0) return null;
        policies.Add($"{name}-headers", new DraftObject().Add("headers", _headers), route.Place);
        return $"{name}-headers";
    }

    // A policy names each field once.
    private static void Field(YarpSection transform, string name, DraftObject set, DraftObject add)
    {
        bool sets = transform.Has("Set");
        if (transform.Text(sets ? "Set" : "Append") is not { } value) return;
        DraftObject into = sets ? set : add;
        if (into.Has(name)) transform.Differs($"{name} is changed so before; left out");
        else into.Add(name, value);
    }

    // YARP changes answers below 400 alone where nothing is said.
    private static void When(YarpSection transform, string key)
    {
        string when = transform.Text("When") ?? "Success";
        if (!when.Equals("Always", StringComparison.OrdinalIgnoreCase)) transform.Differs(transform.Has("When") ? "When" : key, $"not only with {when.ToLowerInvariant()}: lb changes all answers of destinations");
    }

    // lb sets all three, in the place of what the client sent unless it is a trusted proxy.
    private static void Forwarded(YarpSection transform)
    {
        foreach (string key in (string[])["X-Forwarded", "For", "Proto", "Host", "Prefix"])
            if (transform.Text(key) is { } action && !action.Equals("Set", StringComparison.OrdinalIgnoreCase))
                transform.Differs(key, $"{action} is left out: lb sets X-Forwarded-For, -Proto and -Host, and appends for \"trustedProxies\"; \"forwarded\" of a listener turns that off");
        if (transform.Text("HeaderPrefix") is { } prefix && prefix != "X-Forwarded-") transform.Differs("HeaderPrefix", $"{prefix} is left out");
    }

    private static bool IsOwn(string field) => field.Equals("Host", StringComparison.OrdinalIgnoreCase) || field.Equals("X-Forwarded-For", StringComparison.OrdinalIgnoreCase)
        || field.Equals("X-Forwarded-Proto", StringComparison.OrdinalIgnoreCase) || field.Equals("X-Forwarded-Host", StringComparison.OrdinalIgnoreCase);
}
