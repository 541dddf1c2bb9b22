using System.Diagnostics.Metrics;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using LoadBalancer.Admin.Metrics;
using LoadBalancer.Core;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Admin.Tests;

/// <summary>What Prometheus reads.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(60_000)]
public sealed partial class MetricsTests(TransportKind transport)
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task RequestsAreCountedByRouteStatusAndDestination()
    {
        await using ScriptedOrigin origin = AdminFixture.Named("one");
        await using AdminFixture lb = await StartAsync(origin);
        await RequestAsync(lb, "/", 3);
        await RequestAsync(lb, "/teapot", 2);
        await RequestAsync(lb, "/nowhere", 1);
        string[] lines = (await lb.SendAsync("GET", "/metrics")).Body.Split('\n');
        Assert.That(lines, Is.SupersetOf(new[]
        {
            "# TYPE lb_requests_total counter",
            """lb_requests_total{listener="main",route="all",status="2xx"} 3""",
            """lb_requests_total{listener="main",route="pot",status="4xx"} 2""",
            """lb_requests_total{listener="main",route="",status="4xx"} 1""",
            """lb_request_body_bytes_total{listener="main",route="all",direction="sent"} 9""",
            """lb_ends_total{reason="Completed"} 3""",
            """lb_ends_total{reason="Responded"} 2""",
            """lb_ends_total{reason="NoRoute"} 1""",
            """lb_connections_accepted_total{listener="main"} 3""",
            """lb_destination_attempts_total{cluster="app",destination="d0",outcome="success"} 3""",
            """lb_destination_usable{cluster="app",destination="d0"} 1""",
            """lb_destination_outstanding{cluster="app",destination="d0"} 0""",
            """lb_request_duration_seconds_bucket{listener="main",route="all",le="+Inf"} 3""",
            """lb_request_duration_seconds_count{listener="main",route="pot"} 2""",
            """lb_destination_first_byte_seconds_count{cluster="app",destination="d0"} 3""",
            "# TYPE process_cpu_seconds_total counter",
            "lb_event_loops 1",
        }));
        TrafficView view = lb.Proxy.Server.DescribeTraffic();
        Assert.That(view.Ends[(int)EndReason.Completed], Is.EqualTo(3));
        Assert.That(view.Requests.Sum(request => request.Durations.Counts.Sum()), Is.EqualTo(6));
    }

    [Test]
    public async Task AllInstrumentsOfOneLookTellOfOneView()
    {
        await using ScriptedOrigin origin = AdminFixture.Named("one");
        await using AdminFixture lb = await StartAsync(origin);
        await RequestAsync(lb, "/", 1);
        TrafficView before = lb.Proxy.Server.DescribeTraffic();
        await RequestAsync(lb, "/", 1);
        using var collector = new MeterCollector(lb.Proxy.Server);
        foreach ((TrafficView view, int count) in new[] { (before, 1), (lb.Proxy.Server.DescribeTraffic(), 2) })
        {
            string text = Text(collector, view);
            Assert.That(text, Does.Contain($$"""lb_requests_total{listener="main",route="all",status="2xx"} {{count}}""").And.Contain($$"""lb_ends_total{reason="Completed"} {{count}}""")
                .And.Contain($$"""lb_destination_attempts_total{cluster="app",destination="d0",outcome="success"} {{count}}"""));
        }
    }

    // As of a reload: a log, a policy, a limit that is replaced. One that is gone must be neither told of nor held.
    [Test]
    public async Task AnInstrumentThatIsDisposedOfIsForgotten()
    {
        await using ScriptedOrigin origin = AdminFixture.Named("one");
        await using AdminFixture lb = await StartAsync(origin);
        using var collector = new MeterCollector(lb.Proxy.Server);
        Assert.That(Text(collector, lb.Proxy.Server.DescribeTraffic()), Does.Not.Contain("lb_test_gone"));
        WeakReference instrument = Publish(() => Assert.That(Text(collector, lb.Proxy.Server.DescribeTraffic()), Does.Contain("lb_test_gone_total 7")));
        Assert.That(Text(collector, lb.Proxy.Server.DescribeTraffic()), Does.Not.Contain("lb_test_gone"));
        GC.Collect();
        Assert.That(instrument.IsAlive, Is.False);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference Publish(Action whileItIsThere)
        {
            using var meter = new Meter("LoadBalancer");
            ObservableCounter<long> instrument = meter.CreateObservableCounter("lb.test.gone", () => 7L);
            whileItIsThere();
            return new WeakReference(instrument);
        }
    }

    private static string Text(MeterCollector collector, TrafficView view)
    {
        var pipe = new System.IO.Pipelines.Pipe();
        var text = new MetricsText(pipe.Writer);
        collector.Write(text, view);
        text.Flush();
        pipe.Writer.Complete();
        using var reader = new StreamReader(pipe.Reader.AsStream());
        return reader.ReadToEnd();
    }

    [Test]
    public async Task WhatFailsIsCountedToo()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(transport, destinations: $"127.0.0.1:{SystemProgram.FreePort()}", cluster: cluster => cluster with { RetriesMax = 0 });
        await RequestAsync(lb, "/", 1);
        string body = (await lb.SendAsync("GET", "/metrics")).Body;
        Assert.That(body, Does.Contain("""lb_destination_attempts_total{cluster="app",destination="d0",outcome="connect_failure"} 1""").And.Contain("""lb_ends_total{reason="UpstreamConnectFailed"} 1""")
            .And.Contain("""lb_requests_total{listener="main",route="all",status="5xx"} 1"""));
    }

    [Test]
    public async Task ConnectionsAreCountedWhileTheyAreOpen()
    {
        await using ScriptedOrigin origin = AdminFixture.Named("one");
        await using AdminFixture lb = await StartAsync(origin);
        using (RawClient client = await lb.Proxy.ConnectAsync(Token))
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            await client.ReadResponseAsync(Token);
            Assert.That((await lb.SendAsync("GET", "/metrics")).Body, Does.Contain("""lb_connections_open{listener="main"} 1"""));
        }
        while (lb.Proxy.Server.DescribeTraffic().Listeners[0].Open > 0) await lb.Proxy.TurnAsync(Token);
        Assert.That((await lb.SendAsync("GET", "/metrics")).Body, Does.Contain("""lb_connections_open{listener="main"} 0"""));
    }

    [Test]
    public async Task EjectionsAndSpentRetryBudgetsAreCounted()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(transport, destinations: [$"127.0.0.1:{SystemProgram.FreePort()}", $"127.0.0.1:{SystemProgram.FreePort()}"],
            cluster: cluster => cluster with { RetriesMax = 1, RetryBudget = new() { Percent = 0, PerSecondMin = 0 }, Ejection = cluster.Ejection with { ConsecutiveFailures = 2 } });
        await RequestAsync(lb, "/", 6);
        string body = (await lb.SendAsync("GET", "/metrics")).Body;
        Assert.That(body, Does.Contain("""lb_ejections_total{cluster="app"} 1""").And.Contain("""lb_request_retries_denied_total{listener="main",route="all"} 6"""));
    }

    [Test]
    public async Task WhoListensToTheMeterHearsOfEachRequestOfItsServer()
    {
        await using ScriptedOrigin origin = AdminFixture.Named("one");
        await using AdminFixture lb = await StartAsync(origin);
        int durations = 0;
        long requests = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == lb.Proxy.Server && instrument.Name is ProxyServer.RequestDurationInstrument or "lb.requests") listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) => durations += tags.Contains(new("status", "2xx")) ? 1 : 100);
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => requests += value);
        listener.Start();
        await RequestAsync(lb, "/", 4);
        listener.RecordObservableInstruments();
        Assert.That((durations, requests), Is.EqualTo((4, 4L)));
    }

    [Test]
    public async Task PromtoolFindsNothingToComplainOf()
    {
        string promtool = SystemProgram.Require("promtool");
        await using ScriptedOrigin origin = AdminFixture.Named("one");
        await using AdminFixture lb = await StartAsync(origin);
        await RequestAsync(lb, "/", 2);
        Answer answer = await lb.SendAsync("GET", "/metrics");
        Assert.That(answer.Head, Does.Contain("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, answer.Body, Token);
            (int exitCode, string output) = await SystemProgram.RunAsync("sh", Token, "-c", $"{promtool} check metrics < {file}");
            Assert.That((exitCode, output), Is.EqualTo((0, "")));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test]
    public async Task PrometheusScrapesIt()
    {
        string prometheus = SystemProgram.Require("prometheus");
        await using ScriptedOrigin origin = AdminFixture.Named("one");
        await using AdminFixture lb = await StartAsync(origin, new AdminConfig { Address = "127.0.0.1:0", Token = "a token of sixteen characters" });
        await RequestAsync(lb, "/", 7);
        string folder = Directory.CreateTempSubdirectory("lb-prometheus-").FullName;
        try
        {
            await File.WriteAllTextAsync($"{folder}/prometheus.yml", $$"""
                scrape_configs:
                  - job_name: lb
                    scrape_interval: 1s
                    authorization: { credentials: "a token of sixteen characters" }
                    static_configs: [{ targets: ["{{lb.EndPoint}}"] }]
                """, Token);
            int port = SystemProgram.FreePort();
            await using RunningProgram running = await SystemProgram.StartAsync(prometheus, port, Token, $"--config.file={folder}/prometheus.yml", $"--storage.tsdb.path={folder}/data", $"--web.listen-address=127.0.0.1:{port}");
            using var client = new HttpClient();
            string answer;
            do
            {
                await Task.Delay(100, Token); // another program gives no event to wait for
                using HttpResponseMessage response = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/api/v1/query?query={Uri.EscapeDataString("lb_requests_total{route=\"all\"}")}"), Token);
                answer = response.StatusCode == HttpStatusCode.OK ? await response.Content.ReadAsStringAsync(Token) : "";
            }
            while (!answer.Contains("\"value\"", StringComparison.Ordinal));
            Assert.That(answer, Does.Contain("\"status\":\"2xx\"").And.Match("\"value\":\\[[0-9.]+,\"7\"\\]"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void TheDocumentNamesEachInstrumentAndNoOther()
    {
        string[] made = [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories).Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .SelectMany(file => Made().Matches(File.ReadAllText(file))).Select(match => match.Groups[1].Value).Append(ProxyServer.RequestDurationInstrument).Distinct().Order(StringComparer.Ordinal)];
        string[] named = [.. Named().Matches(Repository.Read("docs/metrics.md")).Select(match => match.Groups[1].Value).Distinct().Order(StringComparer.Ordinal)];
        Assert.That(made, Has.Length.GreaterThan(20));
        Assert.That(named, Is.EqualTo(made));
    }

    [Test]
    public void TheDashboardAsksForWhatThereIs()
    {
        string document = Repository.Read("docs/metrics.md");
        string[] asked = [.. Asked().Matches(Repository.Read("samples/Grafana/loadbalancer.json")).Select(match => match.Value).Distinct()];
        Assert.That(asked, Has.Length.GreaterThan(8));
        foreach (string name in asked) Assert.That(document, Does.Contain($"`{Suffix().Replace(name, "")}"), name);
    }

    private Task<AdminFixture> StartAsync(ScriptedOrigin origin, AdminConfig? admin = null) => AdminFixture.StartAsync(transport, admin: admin, destinations: origin.Address, change: config => config with
    {
        Routes = new Dictionary<string, RouteConfig> { ["all"] = config.Routes["all"] with { Path = "/" }, ["pot"] = new() { Path = "/teapot", Respond = new() { Status = 418 } } },
    });

    private static async Task RequestAsync(AdminFixture lb, string path, int count)
    {
        using RawClient client = await lb.Proxy.ConnectAsync(Token);
        for (int i = 0; i < count; i++)
        {
            await client.SendAsync($"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            await client.ReadResponseAsync(Token);
            await lb.Proxy.Completions.NextAsync(Token); // counted by then
        }
    }

    [GeneratedRegex("(?:Create\\w+(?:<\\w+>)?|Count|Level)\\(\"(lb\\.[a-z_.]+)\"")]
    private static partial Regex Made();

    [GeneratedRegex(@"^\| `(lb\.[a-z_.]+)`", RegexOptions.Multiline)]
    private static partial Regex Named();

    [GeneratedRegex(@"\b(?:lb|process|dotnet)_[a-z_]+\b")]
    private static partial Regex Asked();

    [GeneratedRegex("_(?:bucket|sum|count)$")]
    private static partial Regex Suffix();
}
