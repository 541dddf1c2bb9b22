using System.Net.Security;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery.Kubernetes;
using LoadBalancer.Discovery.Sources;
using LoadBalancer.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Discovery.Tests;

/// <summary>Against an API server of our own: HTTPS by an authority of its own, lists in pages, watches of lines in chunks.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(30_000)]
public sealed class KubernetesTests : IDisposable
{
    private const string Path = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dapi";

    private readonly TestAuthority _authority = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lb-kubernetes-").FullName;
    private readonly DiscoveryWatch _watch = new();
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public async Task PodsComeChangeAndGo()
    {
        var events = System.Threading.Channels.Channel.CreateUnbounded<string>();
        await using ApiOrigin server = Server(async call =>
        {
            Assert.That(call.Fields["Authorization"], Is.EqualTo("Bearer t0"));
            if (call.Path == $"{Path}&limit=100") await call.AnswerAsync(SliceText.List("100", "", SliceText.Slice("api-1", "100", SliceText.Pod("a", "127.0.0.1"))));
            else
            {
                Assert.That(call.Path, Does.Match($"^{System.Text.RegularExpressions.Regex.Escape(Path)}&watch=true&allowWatchBookmarks=true&timeoutSeconds=[345][0-9]{{2}}&resourceVersion=100$"));
                await call.BeginAsync();
                await foreach (string line in events.Reader.ReadAllAsync(call.Token)) await call.LineAsync(line);
            }
        });
        ProxyConfig config = Config(Kubeconfig(server, "token: t0"));
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        await using var discovery = new FleetDiscovery(proxy.Server, config, NullLoggerFactory.Instance, new DiscoveryOptions { Observer = _watch });
        await discovery.StartAsync();
        DiscoveryRecord look = await _watch.NextAsync(Token);
        Assert.That((look.Source, look.Destinations, look.Problem), Is.EqualTo(("kubernetes shop/api", 1, (string?)null)));

        events.Writer.TryWrite(SliceText.Event("ADDED", SliceText.Slice("api-2", "101", SliceText.Pod("b", "127.0.0.2"), SliceText.Pod("c", "127.0.0.3", "\"ready\":false,\"serving\":false,\"terminating\":false"))));
        await _watch.NextAsync(l => l.Destinations == 2, Token);
        Assert.That(proxy.MembersOf("app"), Is.EquivalentTo(new[] { "a", "b" }));

        events.Writer.TryWrite(SliceText.Event("MODIFIED", SliceText.Slice("api-2", "102", SliceText.Pod("b", "127.0.0.2", "\"ready\":false,\"serving\":true,\"terminating\":true"), SliceText.Pod("c", "127.0.0.3"))));
        await _watch.NextAsync(l => l.IsChanged, Token);
        Assert.That(proxy.MembersOf("app"), Is.EquivalentTo(new[] { "a", "c" }), "b finishes what it has");

        events.Writer.TryWrite(SliceText.Event("DELETED", SliceText.Slice("api-1", "103", SliceText.Pod("a", "127.0.0.1"))));
        await _watch.NextAsync(l => l.IsChanged, Token);
        Assert.That(proxy.MembersOf("app"), Is.EqualTo(new[] { "c" }));
    }

    [Test]
    public async Task ASecondPortOfTheServiceTakesNobodyAway()
    {
        var events = System.Threading.Channels.Channel.CreateUnbounded<string>();
        await using ApiOrigin server = Server(async call =>
        {
            if (call.Path == $"{Path}&limit=100") await call.AnswerAsync(SliceText.List("100", "", SliceText.Slice("api-1", "100", SliceText.Pod("a", "127.0.0.1"))));
            else
            {
                await call.BeginAsync();
                await foreach (string line in events.Reader.ReadAllAsync(call.Token)) await call.LineAsync(line);
            }
        });
        ProxyConfig config = Config(Kubeconfig(server, "token: t0"));
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        await using var discovery = new FleetDiscovery(proxy.Server, config, NullLoggerFactory.Instance, new DiscoveryOptions { Observer = _watch });
        await discovery.StartAsync();
        await _watch.NextAsync(l => l.Destinations == 1, Token);
        events.Writer.TryWrite(SliceText.Event("MODIFIED", SliceText.Slice("api-1", "101", "IPv4", [SliceText.HttpPort, """{"name":"metrics","protocol":"TCP","port":9100}"""], [SliceText.Pod("a", "127.0.0.1"), SliceText.Pod("b", "127.0.0.2")])));
        DiscoveryRecord look = await _watch.NextAsync(Token);
        Assert.That((look.Destinations, look.Problem), Is.EqualTo((2, "EndpointSlice api-1: it has several ports; set \"port\" to one of http 8080, metrics 9100")));
        Assert.That(proxy.MembersOf("app"), Is.EquivalentTo(new[] { "a", "b" }));
    }

    [Test]
    public async Task ListsComeInPagesAndWatchesGoOnFromTheLastVersion()
    {
        var paths = new List<string>();
        await using ApiOrigin server = Server(async call =>
        {
            lock (paths) paths.Add(call.Path[Path.Length..]);
            if (call.Path.EndsWith("&limit=100", StringComparison.Ordinal)) await call.AnswerAsync(SliceText.List("100", "n/x=", SliceText.Slice("api-1", "90", SliceText.Pod("a", "10.0.0.1"))));
            else if (call.Path.EndsWith("&continue=n%2Fx%3D", StringComparison.Ordinal)) await call.AnswerAsync(SliceText.List("100", "", SliceText.Slice("api-2", "91", SliceText.Pod("b", "10.0.0.2"))));
            else
            {
                await call.BeginAsync();
                await call.LineAsync("""{"type":"BOOKMARK","object":{"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"resourceVersion":"150","creationTimestamp":null},"addressType":"","endpoints":null,"ports":null}}""");
                await call.EndAsync();
            }
        });
        using SliceWatch watch = Watch(Kubeconfig(server, "token: t0"));
        Assert.That(await watch.NextAsync(Token), Is.True);
        Assert.That(watch.Slices.Keys, Is.EqualTo(new[] { "api-1", "api-2" }));
        Assert.That(await watch.NextAsync(Token), Is.False, "it ended in order, and nothing changed");
        Assert.That(await watch.NextAsync(Token), Is.False);
        Assert.That(paths.Skip(2).Select(path => path[(path.LastIndexOf('&') + 1)..]), Is.EqualTo(new[] { "resourceVersion=100", "resourceVersion=150" }));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task WhatIsGoneIsListedAgain(bool byEvent)
    {
        int lists = 0;
        const string Gone = """{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 100 (200)","reason":"Expired","code":410}""";
        await using ApiOrigin server = Server(async call =>
        {
            if (call.Path.Contains("&limit=", StringComparison.Ordinal)) await call.AnswerAsync(SliceText.List("200", "", SliceText.Slice($"api-{++lists}", "100", SliceText.Pod("a", "10.0.0.1"))));
            else if (!byEvent) await call.AnswerAsync(Gone, 410);
            else
            {
                await call.BeginAsync();
                await call.LineAsync($$"""{"type":"ERROR","object":{{Gone}}}""");
            }
        });
        using SliceWatch watch = Watch(Kubeconfig(server, "token: t0"));
        await watch.NextAsync(Token);
        Assert.That(await watch.NextAsync(Token), Is.True);
        Assert.That(watch.Slices.Keys, Is.EqualTo(new[] { "api-2" }));
    }

    [Test]
    public async Task AServerThatIsAwayOrRefusesIsAProblemAndTheLastPodsStay()
    {
        bool isForbidden = false;
        var watching = new TaskCompletionSource<RawClient>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ApiOrigin server = Server(async call =>
        {
            if (isForbidden) await call.AnswerAsync("""{"kind":"Status","status":"Failure","message":"endpointslices.discovery.k8s.io is forbidden: User \"x\" cannot list","reason":"Forbidden","code":403}""", 403);
            else if (call.Path.Contains("&limit=", StringComparison.Ordinal)) await call.AnswerAsync(SliceText.List("1", "", SliceText.Slice("api-1", "1", SliceText.Pod("a", "127.0.0.1"))));
            else
            {
                await call.BeginAsync();
                watching.TrySetResult(call.Connection);
                await Task.Delay(Timeout.Infinite, call.Token);
            }
        });
        ProxyConfig config = Config(Kubeconfig(server, "token: t0"));
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        await using var discovery = new FleetDiscovery(proxy.Server, config, NullLoggerFactory.Instance, new DiscoveryOptions { Observer = _watch });
        await discovery.StartAsync();
        Assert.That((await _watch.NextAsync(Token)).Destinations, Is.EqualTo(1));
        RawClient connection = await watching.Task.WaitAsync(Token);
        isForbidden = true;
        connection.Reset();
        DiscoveryRecord look = await _watch.NextAsync(Token);
        Assert.That((look.Destinations, look.Problem), Is.EqualTo((1, "Connection reset by peer")));
        look = await _watch.NextAsync(Token);
        Assert.That((look.Destinations, look.Problem), Is.EqualTo((1, "answered with status 403: endpointslices.discovery.k8s.io is forbidden: User \"x\" cannot list")));
        isForbidden = false;
        await _watch.NextAsync(l => l.Problem is null, Token);
        Assert.That(proxy.MembersOf("app"), Is.EqualTo(new[] { "a" }));
    }

    [Test]
    public async Task AWatchThatWasLostIsWellAgainWhenItIsOpen()
    {
        var watching = System.Threading.Channels.Channel.CreateUnbounded<RawClient>();
        await using ApiOrigin server = Server(async call =>
        {
            if (call.Path.Contains("&limit=", StringComparison.Ordinal)) await call.AnswerAsync(SliceText.List("1", "", SliceText.Slice("api-1", "1", SliceText.Pod("a", "10.0.0.1"))));
            else
            {
                await call.BeginAsync();
                watching.Writer.TryWrite(call.Connection);
                await Task.Delay(Timeout.Infinite, call.Token);
            }
        });
        using SliceWatch watch = Watch(Kubeconfig(server, "token: t0"));
        await watch.NextAsync(Token);
        Task<bool> next = watch.NextAsync(Token);
        (await watching.Reader.ReadAsync(Token)).Reset();
        Assert.That(async () => await next, Throws.TypeOf<Remote.ApiException>().With.Message.EqualTo("Connection reset by peer"));
        Assert.That(await watch.NextAsync(Token), Is.True, "though nothing has happened");
        Assert.That(watch.Slices, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task InAPodTheTokenIsReadForEachRequest()
    {
        var tokens = new List<string>();
        await using ApiOrigin server = Server(async call =>
        {
            tokens.Add(call.Fields["Authorization"]);
            Assert.That(call.Path, Does.StartWith(Path));
            await File.WriteAllTextAsync($"{_folder}/token", "t1\n", call.Token);
            if (call.Path.Contains("&limit=", StringComparison.Ordinal)) await call.AnswerAsync(SliceText.List("1", ""));
            else
            {
                await call.BeginAsync();
                await call.EndAsync();
            }
        });
        await File.WriteAllTextAsync($"{_folder}/token", "t0\n", Token);
        await File.WriteAllTextAsync($"{_folder}/namespace", "shop", Token);
        File.Copy(_authority.Root, $"{_folder}/ca.crt");
        var pod = new PodEnvironment(name => name == "KUBERNETES_SERVICE_HOST" ? "127.0.0.1" : name == "KUBERNETES_SERVICE_PORT" ? $"{server.Port}" : null, _folder);
        using var source = new KubernetesSource(new KubernetesConfig { Service = "api" }, new DiscoverConfig(), pod, _time, new Random(1));
        SourceReading reading = await source.ReadAsync(Token);
        Assert.That((reading.Destinations!.Count, reading.Problem), Is.EqualTo((0, "there is no EndpointSlice of a service \"api\" in the namespace \"shop\"")));
        reading = await source.ReadAsync(Token);
        Assert.That((reading.IsAnswered, reading.ValidFor), Is.EqualTo((true, TimeSpan.FromSeconds(1))), "a watch that ends at once does not begin at once");
        Assert.That(tokens, Is.EqualTo(new[] { "Bearer t0", "Bearer t1" }));
    }

    [Test]
    public async Task OutsideOfAPodTheProblemSaysWhatToDo()
    {
        using var source = new KubernetesSource(new KubernetesConfig { Service = "api" }, new DiscoverConfig(), new PodEnvironment(_ => null, _folder), _time, new Random(1));
        Assert.That((await source.ReadAsync(Token)).Problem, Is.EqualTo("this is no pod of Kubernetes: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; name a \"kubeconfig\""));
    }

    [Test]
    public async Task AKubeconfigWithCertificatesInIt()
    {
        string? shown = null;
        await using var server = new ApiOrigin(_authority.Issue(["api.kubernetes"]), async call =>
        {
            shown = call.Connection.Tls!.RemoteCertificate?.Subject;
            await call.AnswerAsync(SliceText.List("1", "", SliceText.Slice("api-1", "1", SliceText.Pod("a", "10.0.0.1"))));
        }, options =>
        {
            options.ClientCertificateRequired = true;
            options.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null;
        });
        string pem = await File.ReadAllTextAsync(_authority.IssueFile(["lb"], forClients: true), Token);
        int key = pem.IndexOf("-----BEGIN PRIVATE", StringComparison.Ordinal);
        string file = Kubeconfig(server, $"{{ client-certificate-data: {EtcdServer.Base64(pem[..key])}, client-key-data: {EtcdServer.Base64(pem[key..])} }}",
            $"certificate-authority-data: {EtcdServer.Base64(await File.ReadAllTextAsync(_authority.Root, Token))}\n    tls-server-name: api.kubernetes");
        using SliceWatch watch = Watch(file);
        await watch.NextAsync(Token);
        Assert.That((watch.Slices.Count, shown), Is.EqualTo((1, "CN=lb")));
    }

    [TestCase("{ exec: { command: aws } }", "the user's token comes from a program")]
    [TestCase("{ tokenFile: missing }", "missing does not exist")]
    [TestCase("{ client-certificate: missing }", "missing does not exist")]
    [TestCase("[", "is not valid YAML")]
    public async Task AKubeconfigThatCannotBeUsedIsAProblem(string user, string problem)
    {
        await using ApiOrigin server = Server(call => call.AnswerAsync("{}"));
        using SliceWatch watch = Watch(Kubeconfig(server, user));
        Assert.That(async () => await watch.NextAsync(Token), Throws.TypeOf<Remote.ApiException>().With.Message.Contains(problem));
    }

    [Test]
    public async Task AServerOfAnotherAuthorityIsNotAsked()
    {
        using var other = new TestAuthority("Another");
        bool isAsked = false;
        await using var server = new ApiOrigin(other.Issue(["127.0.0.1"]), call =>
        {
            isAsked = true;
            return call.AnswerAsync("{}");
        });
        using SliceWatch watch = Watch(Kubeconfig(server, "token: t0"));
        Assert.That(async () => await watch.NextAsync(Token), Throws.TypeOf<Remote.ApiException>().With.Message.StartsWith("is not trusted: "));
        Assert.That(isAsked, Is.False);
    }

    private ApiOrigin Server(Func<ApiCall, Task> answer) => new(_authority.Issue(["127.0.0.1"]), answer);

    private string Kubeconfig(ApiOrigin server, string user, string? cluster = null)
    {
        string file = $"{_folder}/kubeconfig";
        File.WriteAllText(file, $$"""
            apiVersion: v1
            kind: Config
            current-context: here
            contexts:
            - name: here
              context: { cluster: c, user: u, namespace: shop }
            clusters:
            - name: c
              cluster:
                server: https://{{server.Address}}
                {{cluster ?? $"certificate-authority: {_authority.Root}"}}
            users:
            - name: u
              user: {{(user.StartsWith('{') || user.StartsWith('[') ? user : $"{{ {user} }}")}}
            """);
        return file;
    }

    private SliceWatch Watch(string kubeconfig) => new(new KubernetesConfig { Service = "api", Kubeconfig = kubeconfig }, PodEnvironment.Own, _time, new Random(1));

    private static ProxyConfig Config(string kubeconfig)
    {
        ProxyConfig config = ProxyFixture.Config(TransportKind.Auto);
        var discover = new DiscoverConfig { Kubernetes = new() { Service = "api", Namespace = "shop", Kubeconfig = kubeconfig }, IntervalMin = TimeSpan.FromMilliseconds(100) };
        return config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Discover = [discover] } } };
    }
}
