using System.Text;
using BenchmarkDotNet.Attributes;
using LoadBalancer.Benchmarks.Relay;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Policies;
using LoadBalancer.Core.Transport;
using LoadBalancer.Gateway.Authorization;
using LoadBalancer.Gateway.Authorization.Lookups;
using LoadBalancer.Gateway.Authorization.Rules;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoadBalancer.Benchmarks.Gateway;

/// <summary>What does it cost to know who may do what: by twenty rules of which the last matches, and by what a service has said before?</summary>
[MemoryDiagnoser]
public class AuthorizeBenchmarks
{
    private readonly Dictionary<string, (RequestContext Context, IRequestPolicy Policy)> _routes = [];
    private readonly Identity _identity = new();

    private sealed class Identity : IClientIdentity
    {
        private static readonly string[] Subject7 = ["7"], Roles = ["user"];

        public string Scheme => "bench";

        public string? Subject => "7";

        public ReadOnlyMemory<byte> Json { get; } = """{"sub":"7","roles":["user"]}"""u8.ToArray();

        public string? GetClaim(string name) => GetClaims(name) is [var first, ..] ? first : null;

        public IReadOnlyList<string> GetClaims(string name) => name switch { "sub" => Subject7, "roles" => Roles, _ => [] };
    }

    // Answers at once what a service would.
    private sealed class Source : IPermissionSource
    {
        public ValueTask<PermissionAnswer> AskAsync(PermissionQuestion question, CancellationToken token) => new(new PermissionAnswer(true, null));
    }

    private sealed class Answered(ServiceLookup service) : ILookup
    {
        public PolicyAnswer? WriteKey(DecisionKey key, RequestContext context) => service.WriteKey(key, context);

        public ValueTask<LookupOutcome> AskAsync(RequestContext context) => new(new LookupOutcome(new Decision { Lifetime = TimeSpan.FromHours(1) }, null));
    }

    private sealed class Service(DecisionLookup lookup) : IRequestPolicy
    {
        public ValueTask<PolicyAnswer?> OnRequestAsync(RequestContext context) => lookup.DecideAsync(context);
    }

    private sealed record ServicePolicyConfig(IReadOnlyList<string> Key) : PolicyConfig
    {
        public override string Kind => "service";

        protected internal override IRoutePolicy Create(PolicyServices services)
        {
            var config = new AuthorizationServiceConfig { Cluster = "authz", Cache = new() { For = TimeSpan.FromHours(1), Key = Key } };
            return new Service(new DecisionLookup(new Answered(new ServiceLookup(config)), config.Cache, config.OnError, config.StaleFor, config.Timeout, [], services));
        }
    }

    /// <summary>A request for each policy, which it has seen before.</summary>
    [GlobalSetup]
    public void Setup()
    {
        string token = Convert.ToBase64String(Encoding.ASCII.GetBytes(new string('x', 600)));
        byte[] head = Encoding.ASCII.GetBytes($"GET /users/7 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: test\r\nAccept: */*\r\nAuthorization: Bearer {token}\r\n\r\n");
        byte[] odd = Encoding.ASCII.GetBytes($"GET /users/%207 HTTP/1.1\r\nHost: example.com\r\n\r\n");
        AccessRuleConfig[] rules =
        [
            .. Enumerable.Range(0, 12).Select(i => new AccessRuleConfig { Allow = ["GET"], Path = [$"/users/{{id}}/things{i}/**"], Roles = ["user"] }),
            .. Enumerable.Range(0, 6).Select(i => new AccessRuleConfig { Deny = ["*"], Path = [$"/admin{i}/**"] }),
            new() { Allow = ["POST"], Path = ["/users/**"] },
            new() { Allow = ["GET"], Path = ["/users/{id}"], Claims = new Dictionary<string, ClaimConditionConfig> { ["sub"] = new() { Is = ["{id}"] } } },
        ];
        var policies = new Dictionary<string, PolicyConfig>
        {
            ["rules"] = new AuthorizeConfig { Rules = rules },
            ["odd"] = new AuthorizeConfig { Rules = rules },
            ["all"] = new ServicePolicyConfig([]),
            ["short"] = new ServicePolicyConfig(["method", "path", "claim:sub"]),
            ["redis"] = new AuthorizeConfig { Redis = new() { Key = "perm:{claim:sub}:{method}:{path}", Cache = new() { For = TimeSpan.FromHours(1) } }, Permissions = new Source() },
        };
        var config = new ProxyConfig
        {
            Transport = new() { Kind = TransportKind.Sockets, Loops = 1 },
            Listeners = new Dictionary<string, ListenerConfig> { ["main"] = new() { Address = "127.0.0.1:0" } },
            Policies = policies,
            Routes = policies.Keys.ToDictionary(name => name, name => new RouteConfig { Path = $"/{name}", Respond = new(), Policies = [name] }),
        };
        var server = new ProxyServer(config, NullLoggerFactory.Instance);
        var loop = new MemoryLoop();
        var context = new LoopContext(server, loop, 1);
        var client = new Http1Connection(context, server.Snapshot.Listeners[0], new MemoryConnection(loop));
        foreach (RouteSnapshot route in server.Snapshot.Routes)
        {
            byte[] bytes = route.Name == "odd" ? odd : head;
            Exchange exchange = context.LeaseExchange();
            exchange.Begin(client);
            exchange.Request.Parse(bytes, server.Snapshot.Listeners[0].HeadLimits);
            exchange.Head = bytes;
            exchange.Route = route;
            var run = new PolicyRun(exchange);
            run.Request.Begin(1);
            run.Request.Identity = _identity;
            _routes[route.Name] = (run.Request, (IRequestPolicy)route.Policies!.Requests[0]!);
            // The first time it is asked, or found out who it is.
            PolicyAnswer? answer = Decide(route.Name);
            if (answer is null != (route.Name != "odd")) throw new InvalidOperationException($"{route.Name}: {answer?.Detail}");
        }
    }

    private PolicyAnswer? Decide(string name)
    {
        (RequestContext context, IRequestPolicy policy) = _routes[name];
        ValueTask<PolicyAnswer?> decided = policy.OnRequestAsync(context);
        return decided.IsCompleted ? decided.Result : throw new InvalidOperationException("it waits");
    }

    /// <summary>Twenty rules, of which the last allows it by a variable of the path.</summary>
    [Benchmark(Baseline = true)]
    public object? TwentyRules() => Decide("rules");

    /// <summary>The same for a path with an encoding, which has more than one reading.</summary>
    [Benchmark]
    public object? TwentyRulesOddPath() => Decide("odd");

    /// <summary>A service's decision that is known, by everything that it is told: a token of 800 bytes among it.</summary>
    [Benchmark]
    public object? KnownServiceDecision() => Decide("all");

    /// <summary>The same by method, path and a claim.</summary>
    [Benchmark]
    public object? KnownServiceDecisionByClaim() => Decide("short");

    /// <summary>A permission of Redis that is known.</summary>
    [Benchmark]
    public object? KnownRedisPermission() => Decide("redis");
}
