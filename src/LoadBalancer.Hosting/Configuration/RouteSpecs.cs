using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;
using LoadBalancer.Limiting.Concurrency;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of <see cref="RouteConfig"/> and its parts.</summary>
internal static class RouteSpecs
{
    internal static readonly ObjectSpec<RedirectConfig> Redirect = new(
        "redirect", "A redirect answer. A plain string is its \"to\".", () => new RedirectConfig { To = "" },
        new FieldSpec<RedirectConfig, string>("to",
            "Location. \"{host}\", \"{path}\" (the normalised path) and \"{query}\" (with its \"?\", or empty) are replaced.",
            new TextSpec(examples: ["https://{host}{path}{query}"]), c => c.To, (c, v) => c with { To = v }) { IsRequired = true, OtherNames = ["location", "url"] },
        new FieldSpec<RedirectConfig, int>("status", "301, 302, 303, 307 or 308, which keeps method and body.",
            new CountSpec(new NumberRange(301, 308), ConfigRanges.RedirectStatuses), c => c.Status, (c, v) => c with { Status = v }) { OtherNames = ["code"] })
    {
        FromText = text => new RedirectConfig { To = text },
    };

    internal static readonly ObjectSpec<MirrorConfig> Mirror = new(
        "mirror", "Copies of a route's requests, marked X-Mirrored: 1, to a shadow cluster. Its answers are thrown away; the client's is neither delayed nor changed. Bodies that come after their head are not copied.",
        () => new MirrorConfig { Cluster = "" },
        new FieldSpec<MirrorConfig, string>("cluster", "Name of the shadow cluster.",
            new TextSpec(), c => c.Cluster, (c, v) => c with { Cluster = v }) { IsRequired = true, OtherNames = ["to", "target"] },
        new FieldSpec<MirrorConfig, int>("percent", "Which part of the requests is copied, by chance.",
            new CountSpec(ConfigRanges.Percent), c => c.Percent, (c, v) => c with { Percent = v }) { OtherNames = ["share", "fraction"] },
        new FieldSpec<MirrorConfig, int>("requestsMax", "Most copies under way at once, over all loops; those beyond are left out.",
            new CountSpec(ConfigRanges.MirrorRequestsMax), c => c.RequestsMax, (c, v) => c with { RequestsMax = v }) { OtherNames = ["max", "limit"] })
    {
        FromText = text => new MirrorConfig { Cluster = text },
    };

    internal static readonly ObjectSpec<RespondConfig> Respond = new(
        "respond", "A fixed answer.", () => new RespondConfig(),
        new FieldSpec<RespondConfig, int>("status", "200 to 599.",
            new CountSpec(ConfigRanges.RespondStatus), c => c.Status, (c, v) => c with { Status = v }) { OtherNames = ["code"] },
        new FieldSpec<RespondConfig, string>("body", "Content, sent as UTF-8.",
            new TextSpec(), c => c.Body, (c, v) => c with { Body = v }) { OtherNames = ["content", "text"] },
        new FieldSpec<RespondConfig, string>("contentType", "Value of Content-Type.",
            new TextSpec(), c => c.ContentType, (c, v) => c with { ContentType = v }),
        new FieldSpec<RespondConfig, IReadOnlyDictionary<string, string>>("headers", "Further header fields.",
            new MapSpec<string>(new TextSpec(), () => ""), c => c.Headers, (c, v) => c with { Headers = v }) { Secrecy = Secrecy.All });

    internal static readonly ObjectSpec<RouteConfig> Route = new(
        "route", "A match rule and what to do with the requests it matches: exactly one of \"cluster\", \"split\", \"redirect\" and \"respond\".", () => new RouteConfig(),
        new FieldSpec<RouteConfig, IReadOnlyList<string>>("listeners", "Names of the listeners the route applies to. Empty: all.",
            new TextListSpec(new TextSpec()), c => c.Listeners, (c, v) => c with { Listeners = v }),
        new FieldSpec<RouteConfig, IReadOnlyList<string>>("hosts",
            "\"example.com\" (any port), \"example.com:8443\", \"*.example.com\" (one or more labels). Empty: any.",
            new TextListSpec(new TextSpec(examples: ["example.com", "*.example.com"])), c => c.Hosts, (c, v) => c with { Hosts = v }) { OtherNames = ["domains", "serverName"] },
        new FieldSpec<RouteConfig, string>("path",
            "\"/exact\", \"/users/{id}\" (one segment each), \"/files/**\" (that path and everything below it). Exact beats template beats prefix, and the longer prefix the shorter one.",
            new TextSpec(pattern: "^/[^?#]*$", examples: ["/api/**", "/users/{id}"]), c => c.Path, (c, v) => c with { Path = v }) { OtherNames = ["paths", "location", "prefix"] },
        new FieldSpec<RouteConfig, IReadOnlyList<string>>("methods", "Case-sensitive. Empty: any.",
            new TextListSpec(new TextSpec(examples: ["GET", "POST"])), c => c.Methods, (c, v) => c with { Methods = v }),
        new FieldSpec<RouteConfig, IReadOnlyDictionary<string, string>>("headers",
            "Header fields that must match, by name. A value of \"*\" asks for presence only; any other for that exact value.",
            new MapSpec<string>(new TextSpec(), () => ""), c => c.Headers, (c, v) => c with { Headers = v }) { Secrecy = Secrecy.All },
        new FieldSpec<RouteConfig, IReadOnlyDictionary<string, string>>("cookies",
            "Cookies that must be there, by name. A value of \"*\" asks for presence only; any other for that exact value.",
            new MapSpec<string>(new TextSpec(), () => ""), c => c.Cookies, (c, v) => c with { Cookies = v }) { Secrecy = Secrecy.All, OtherNames = ["cookie"] },
        new FieldSpec<RouteConfig, string?>("cluster", "Name of the cluster to forward to.",
            new TextSpec()!, c => c.Cluster, (c, v) => c with { Cluster = v }) { OtherNames = ["pool", "backend", "upstream", "service", "proxyPass"] },
        new FieldSpec<RouteConfig, IReadOnlyDictionary<string, int>>("split",
            "Clusters to forward to by chance, with their shares, as in { \"stable\": 95, \"canary\": 5 }. A share of 0 gets nothing.",
            new MapSpec<int>(new CountSpec(ConfigRanges.SplitShare), () => 1), c => c.Split, (c, v) => c with { Split = v }) { OtherNames = ["weightedClusters", "splitClients", "canary"] },
        new FieldSpec<RouteConfig, MirrorConfig?>("mirror", "Copies of the requests to a shadow cluster; a plain string is its \"cluster\". Left out: none.",
            Mirror!, c => c.Mirror, (c, v) => c with { Mirror = v }) { OtherNames = ["shadow", "mirrors", "requestMirrorPolicies"] },
        new FieldSpec<RouteConfig, RouteCacheConfig?>("cache", "Answers from a cache what may be, and stores what may be; a plain string is its \"in\". Left out: none.",
            CacheSpecs.Route!, c => c.Cache, (c, v) => c with { Cache = v }) { OtherNames = ["caching", "proxyCache"] },
        new FieldSpec<RouteConfig, RedirectConfig?>("redirect", "Answer with a redirect; a plain string is its \"to\".",
            Redirect!, c => c.Redirect, (c, v) => c with { Redirect = v }),
        new FieldSpec<RouteConfig, RespondConfig?>("respond", "Answer directly.",
            Respond!, c => c.Respond, (c, v) => c with { Respond = v }) { OtherNames = ["response", "return"] },
        new FieldSpec<RouteConfig, TimeSpan>("deadline",
            "Whole-request time limit, from the end of the request head; then 504, or a cut connection when the answer has begun. 0 for none.",
            new DurationSpec(ConfigRanges.Deadline), c => c.Deadline, (c, v) => c with { Deadline = v }) { OtherNames = ["timeout"] },
        new FieldSpec<RouteConfig, long?>("requestBodyBytesMax", "Largest request body, above the listener's limit. null: the listener's.",
            new OptionalSizeSpec(ConfigRanges.RequestBodyBytesMax), c => c.RequestBodyBytesMax, (c, v) => c with { RequestBodyBytesMax = v }),
        new FieldSpec<RouteConfig, long?>("requestHeadBytesMax", "Longest request head, below the listener's limit; longer ones get 431. null: the listener's.",
            new OptionalSizeSpec(ConfigRanges.RequestHeadBytesMax), c => c.RequestHeadBytesMax, (c, v) => c with { RequestHeadBytesMax = v }),
        new FieldSpec<RouteConfig, int>("requestHeaderCountMax", "Most header fields, below the listener's limit; more get 431. 0: the listener's.",
            new CountSpec(ConfigRanges.RouteHeaderCountMax), c => c.RequestHeaderCountMax, (c, v) => c with { RequestHeaderCountMax = v }),
        new FieldSpec<RouteConfig, TimeSpan>("requestBodyTimeout", "Time for a whole request body, from the end of its head; then 408. 0: only the listener's limits on its silence and rate.",
            new DurationSpec(ConfigRanges.RequestBodyTimeout), c => c.RequestBodyTimeout, (c, v) => c with { RequestBodyTimeout = v }) { OtherNames = ["clientBodyTimeout", "requestTimeout"] },
        new FieldSpec<RouteConfig, LoadPriority>("priority", "Who is turned away first where the cluster has a \"concurrency\": \"low\" before \"normal\" before \"high\".",
            new ChoiceSpec<LoadPriority>(("low", LoadPriority.Low), ("normal", LoadPriority.Normal), ("high", LoadPriority.High)), c => c.Priority, (c, v) => c with { Priority = v }),
        new FieldSpec<RouteConfig, IReadOnlyDictionary<string, int>>("limits",
            "Names of the limits that hold for the route, or an object with what a request costs with each, as in { \"per-client\": 5 }. All must let it through.",
            new LimitSpecs.CostsSpec(), c => c.Limits, (c, v) => c with { Limits = v }) { OtherNames = ["limit", "rateLimit", "rateLimits", "limitReq"] },
        new FieldSpec<RouteConfig, IReadOnlyList<string>>("policies", "Names of the policies that see the requests, in this order, and the answers, in the reverse one.",
            new TextListSpec(new TextSpec()), c => c.Policies, (c, v) => c with { Policies = v }) { OtherNames = ["policy", "middlewares", "plugins", "filters"] },
        new FieldSpec<RouteConfig, bool>("log", "Whether requests stand in the access log.", new FlagSpec(), c => c.Log, (c, v) => c with { Log = v }) { OtherNames = ["accessLog", "access_log", "logging"] },
        new FieldSpec<RouteConfig, BodyLogConfig?>("logBody", "What of the bodies stands in the access log. Left out: nothing.",
            ObservationSpecs.BodyLog!, c => c.LogBody, (c, v) => c with { LogBody = v }) { OtherNames = ["bodyLog", "captureBody"] },
        new FieldSpec<RouteConfig, TimeSpan>("policyTimeout", "Time that the policies have for a request, and again for its answer, without the time in which a body is received; then 504.",
            new DurationSpec(ConfigRanges.PolicyTimeout), c => c.PolicyTimeout, (c, v) => c with { PolicyTimeout = v }))
    {
        ExactlyOneOf = ["cluster", "split", "redirect", "respond"],
    };
}
