using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration;
using LoadBalancer.Limiting.Concurrency;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests.Configuration;

/// <summary>Limits: how they are written, and what is wrong with them.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class LimitConfigTests
{
    private static ProxyConfig Config(LimitConfig limit, string name = "one", int cost = 1) => new()
    {
        Listeners = new Dictionary<string, ListenerConfig> { ["web"] = new() { Address = ":80" } },
        Limits = new Dictionary<string, LimitConfig> { [name] = limit },
        Routes = new Dictionary<string, RouteConfig> { ["r"] = new() { Respond = new(), Limits = new Dictionary<string, int> { [name] = cost } } },
    };

    private static string[] Problems(ProxyConfig config) => [.. ConfigValidator.Validate(config).Select(problem => problem.ToString())];

    [Test]
    public void TheDocumentsExampleIsRead()
    {
        string example = Repository.Read("docs/limits.md").Split("```jsonc\n")[1].Split("```")[0];
        ConfigReadResult result = ReadTests.Parse(example);
        Assert.That(result.Problems, Is.Empty);
        ProxyConfig config = result.Config!;
        Assert.That(config.Limits["per-client"] with { Key = [] }, Is.EqualTo(new LimitConfig { Rate = "100/s", Burst = 200, Key = [] }));
        Assert.That(config.Limits["logins"].Key, Is.EqualTo(new[] { "ip/24,48", "path" }));
        Assert.That(config.Routes["app"].Limits, Is.EqualTo(new Dictionary<string, int> { ["per-client"] = 1, ["trial"] = 1 }));
        Assert.That(config.Routes["login"].Limits, Is.EqualTo(new Dictionary<string, int> { ["per-client"] = 5, ["logins"] = 1 }));
        Assert.That(config.Routes["files"].Limits, Is.EqualTo(new Dictionary<string, int> { ["downloads"] = 1 }));
        Assert.That((config.Routes["login"].Priority, config.Routes["files"].Priority), Is.EqualTo((LoadPriority.High, LoadPriority.Low)));
        Assert.That(config.Clusters["app"].Concurrency, Is.EqualTo(new ConcurrencyConfig { Min = 20, Max = 400 }));
    }

    [Test]
    public void ALimitIsReadAsTextAndATwiceNamedOneIsAProblem()
    {
        ConfigReadResult result = ReadTests.Parse("""
            { "listeners": { "web": { "address": ":80" } }, "limits": { "a": "5/s" }, "clusters": { "c": { "destinations": {}, "concurrency": true } },
              "routes": { "r": { "respond": {}, "limits": ["a", "a"] }, "s": { "path": "/s", "cluster": "c", "limits": 5, "requestHeadBytesMax": "4KiB", "requestHeaderCountMax": 9, "requestBodyTimeout": "5s" } } }
            """);
        Assert.That(result.Problems.Select(problem => $"{problem.Path}: {problem.Message}"), Is.EqualTo(new[]
        {
            "routes.r.limits[1]: \"a\" is given twice",
            "routes.s.limits: expected names of limits, or an object with their costs, found the number 5",
        }));
    }

    [TestCase("100/s")]
    [TestCase("6000/m")]
    [TestCase("1/30d")]
    [TestCase("50/10s")]
    public void GoodRatesAreTaken(string rate) => Assert.That(Problems(Config(new() { Rate = rate })), Is.Empty);

    [TestCase("100", "limits.one.rate: \"100\" is no rate; expected a count and a time, such as \"100/s\", \"6000/m\" or \"50/10s\"")]
    [TestCase("0/s", "limits.one.rate: \"0/s\" is no rate; expected a count and a time, such as \"100/s\", \"6000/m\" or \"50/10s\"")]
    [TestCase("5/100ms", "limits.one.rate: \"5/100ms\" is no rate; expected a count and a time, such as \"100/s\", \"6000/m\" or \"50/10s\"")]
    [TestCase("1/31d", "limits.one.rate: \"1/31d\" is no rate; expected a count and a time, such as \"100/s\", \"6000/m\" or \"50/10s\"")]
    [TestCase("-5/s", "limits.one.rate: \"-5/s\" is no rate; expected a count and a time, such as \"100/s\", \"6000/m\" or \"50/10s\"")]
    [TestCase("2000000/s", "limits.one.rate: \"2000000/s\" is more than can be counted; expected at most 1000000/s")]
    public void ABadRateIsAProblem(string rate, string problem) => Assert.That(Problems(Config(new() { Rate = rate })), Is.EqualTo(new[] { problem }));

    [Test]
    public void WhatGoesNotTogetherIsAProblem()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Problems(Config(new())), Is.EqualTo(new[] { "limits.one: says not what it limits; expected \"rate\" or \"concurrency\"" }));
            Assert.That(Problems(Config(new() { Rate = "1/s", Concurrency = 1 })).Single(), Does.StartWith("limits.one: has \"rate\" and \"concurrency\"; "));
            Assert.That(Problems(Config(new() { Concurrency = 1, Burst = 5, Algorithm = LimitAlgorithm.SlidingWindow })), Is.EqualTo(new[]
            {
                "limits.one.burst: has no effect with \"concurrency\"; it is for \"rate\"",
                "limits.one.algorithm: has no effect with \"concurrency\"; it is for \"rate\"",
            }));
            Assert.That(Problems(Config(new() { Rate = "5/s", Burst = 5, Algorithm = LimitAlgorithm.SlidingWindow })).Single(), Does.StartWith("limits.one.burst: has no effect with "));
            Assert.That(Problems(Config(new() { Rate = "2000000/h", Algorithm = LimitAlgorithm.SlidingWindow })).Single(), Does.StartWith("limits.one.rate: 2000000 is more than a sliding window counts; "));
            Assert.That(Problems(Config(new() { Rate = "1/d", Burst = 31 })).Single(), Is.EqualTo("limits.one.burst: 31 would take longer than 30d to come back at a rate of 1/d"));
            Assert.That(Problems(Config(new() { Rate = "1/s", Key = ["ip"], SkipIfMissing = true })).Single(), Is.EqualTo("limits.one.skipIfMissing: has no effect without a header or cookie in \"key\""));
            Assert.That(Problems(Config(new() { Rate = "1/s", KeysMax = 1, Status = 200 })), Is.EqualTo(new[]
            {
                "limits.one.keysMax: 1 is out of range; expected 8 to 16777216", "limits.one.status: 200 is out of range; expected 400 to 599",
            }));
            Assert.That(Problems(Config(new() { Rate = "1/s" }, "a\"b")).Single(), Does.Contain("the name of a limit has \"\"\"; expected letters"));
        });
    }

    [TestCase("ip/0")]
    [TestCase("ip/33")]
    [TestCase("ip/24,")]
    [TestCase("ip/24,129")]
    [TestCase("ip/24,64,1")]
    [TestCase("header:")]
    [TestCase("header:a b")]
    [TestCase("path:x")]
    [TestCase("query:x")]
    public void ABadPartOfAKeyIsAProblem(string part) =>
        Assert.That(Problems(Config(new() { Rate = "1/s", Key = ["host", part] })).Single(), Does.StartWith($"limits.one.key[1]: \"{part}\" is no part of a key; expected one of \"ip\", "));

    [Test]
    public void WhatARouteSaysOfLimitsIsChecked()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Problems(Config(new() { Rate = "60/m" }, cost: 2)).Single(), Is.EqualTo("routes.r.limits.one: costs 2, more than can ever be there at once, 1; every request would be refused"));
            Assert.That(Problems(Config(new() { Rate = "60/m", Algorithm = LimitAlgorithm.SlidingWindow }, cost: 60)), Is.Empty);
            Assert.That(Problems(Config(new() { Concurrency = 6 }, cost: 2)).Single(), Does.StartWith("routes.r.limits.one: costs 2, but a request takes one place"));
            Assert.That(Problems(Config(new() { Rate = "60/m" }, cost: 0)).Single(), Is.EqualTo("routes.r.limits.one: 0 is out of range; expected 1 to 1000000"));
            ProxyConfig config = Config(new() { Rate = "1/s" });
            Assert.That(Problems(config with { Limits = new Dictionary<string, LimitConfig> { ["ones"] = new() { Rate = "1/s" } } }).Single(), Is.EqualTo("routes.r.limits.one: there is no limit \"one\"; did you mean \"ones\"?"));
            string[] names = [.. Enumerable.Range(0, 9).Select(i => $"l{i}")];
            Assert.That(Problems(config with
            {
                Limits = names.ToDictionary(name => name, _ => new LimitConfig { Rate = "1/s" }),
                Routes = new Dictionary<string, RouteConfig> { ["r"] = config.Routes["r"] with { Limits = names.ToDictionary(name => name, _ => 1) } },
            }).Single(), Is.EqualTo("routes.r.limits: names 9 limits; expected at most 8"));
        });
    }

    [TestCase(10, 1000, 0)]
    [TestCase(10, 10, 10)]
    [TestCase(0, 10, 0, "clusters.c.concurrency.min")]
    [TestCase(20, 10, 0, "clusters.c.concurrency.max")]
    [TestCase(10, 20, 9, "clusters.c.concurrency.initial")]
    [TestCase(10, 20, 21, "clusters.c.concurrency.initial")]
    public void Concurrency_Table(int min, int max, int initial, params string[] problems)
    {
        ProxyConfig config = Config(new() { Rate = "1/s" }) with { Clusters = new Dictionary<string, ClusterConfig> { ["c"] = new() { Concurrency = new() { Min = min, Max = max, Initial = initial } } } };
        Assert.That(ConfigValidator.Validate(config).Select(problem => problem.Path), Is.EqualTo(problems));
    }
}
