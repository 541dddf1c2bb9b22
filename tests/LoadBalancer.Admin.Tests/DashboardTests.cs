using System.Net;
using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Admin.Tests;

/// <summary>The page, in a real browser.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(180_000)]
public sealed class DashboardTests
{
    private const string Secret = "0123456789abcdef";

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task ThePageShowsDestinationsAndDrainsThem()
    {
        await using Browser browser = await Browser.StartAsync(Token);
        await using ScriptedOrigin one = AdminFixture.Named("one"), two = AdminFixture.Named("two");
        await using AdminFixture lb = await AdminFixture.StartAsync(TransportKind.Auto, admin: new AdminConfig { Address = "127.0.0.1:0", Token = Secret }, destinations: [one.Address, two.Address]);
        await lb.AnswersAsync();

        await browser.OpenAsync($"http://{lb.EndPoint}/", Token);
        await browser.WaitAsync("!document.getElementById('login').hidden", Token);
        Assert.That((await browser.RunAsync("return document.body.innerText", Token)).GetString(), Does.Not.Contain("d0"));
        await browser.RunAsync($"document.getElementById('token').value = '{Secret}'; document.querySelector('#login button').click()", Token);
        await browser.WaitAsync("document.querySelectorAll('.destination').length === 3", Token); // the other cluster has one
        string[] shown = [.. (await browser.RunAsync("return [...document.querySelectorAll('.destination .who')].map(e => e.innerText)", Token)).EnumerateArray().Select(text => text.GetString()!)];
        Assert.That(shown, Is.EqualTo(new[] { $"d0\n{one.Address}", $"d1\n{two.Address}", "fixed\n127.0.0.1:1" }));
        await browser.WaitAsync("document.getElementById('rps-note').textContent === '60 since the start'", Token);

        await browser.RunAsync("document.querySelector('[data-destination=d0] button').click()", Token);
        await browser.WaitAsync("document.querySelector('[data-destination=d0] button').textContent === 'Enable'", Token);
        Assert.That(lb.Proxy.Server.DescribeDestination("app", "d0")!.Status, Is.EqualTo(DestinationStatus.Draining));
        Assert.That(await lb.AnswersAsync(), Is.EqualTo(new[] { "two" }));
        await browser.WaitAsync("document.getElementById('events').innerText.includes('Destination draining')", Token);

        // The last one that takes requests is asked for twice.
        await browser.RunAsync("document.querySelector('[data-destination=d1] button').click()", Token);
        Assert.That((await browser.RunAsync("return document.querySelector('[data-destination=d1] button').textContent", Token)).GetString(), Is.EqualTo("Sure?"));
        Assert.That(lb.Proxy.Server.DescribeDestination("app", "d1")!.Status, Is.EqualTo(DestinationStatus.Eligible));

        await browser.RunAsync("document.querySelector('[data-destination=d0] button').click()", Token);
        await browser.WaitAsync("document.querySelector('[data-destination=d0] button').textContent === 'Drain'", Token);
        Assert.That(await lb.AnswersAsync(), Is.EqualTo(new[] { "one", "two" }));
        // The one refusal is the first question, before there was a token.
        Assert.That((await browser.ConsoleAsync(Token)).Where(line => !line.Contains("401 (Unauthorized)", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task ThePageFitsAnyWidthInBothColorSchemes()
    {
        await using Browser browser = await Browser.StartAsync(Token);
        string name = $"{new string('n', 100)}.internal";
        await using AdminFixture lb = await AdminFixture.StartAsync(
            TransportKind.Auto, admin: new AdminConfig { Address = "127.0.0.1:0", Token = Secret }, destinations: "127.0.0.1:1", change: config => config with
            {
                Limits = new Dictionary<string, LimitConfig> { [new string('l', 32)] = new() { Rate = "1/h", Burst = 1 } },
                Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Limits = new Dictionary<string, int> { [new string('l', 32)] = 1 } } },
            });
        await lb.SendAsync("PUT", $"/clusters/app/destinations/{name}", """{"address": "127.0.0.1:2"}""", $"Authorization: Bearer {Secret}\r\n");
        await lb.AnswersAsync();
        await browser.OpenAsync($"http://{lb.EndPoint}/", Token);
        await browser.RunAsync($"sessionStorage.setItem('token', '{Secret}')", Token);
        await browser.OpenAsync($"http://{lb.EndPoint}/", Token);
        await browser.WaitAsync("document.querySelectorAll('.destination').length === 3", Token);
        var pages = new List<string>();
        foreach (string scheme in new[] { "light", "dark" })
        {
            foreach (int width in new[] { 360, 768, 1280 })
            {
                await browser.ShowAsAsync(width, scheme, Token);
                string sizes = (await browser.RunAsync("return `${innerWidth} ${document.documentElement.scrollWidth}`", Token)).GetString()!;
                Assert.That(sizes, Is.EqualTo($"{width} {width}"), $"{scheme}: it would have to be scrolled sideways");
            }
            pages.Add((await browser.RunAsync("const style = getComputedStyle(document.body); return `${style.backgroundColor} ${style.color}`", Token)).GetString()!);
        }
        Assert.That(pages, Is.EqualTo(new[] { "rgb(246, 247, 249) rgb(27, 33, 41)", "rgb(18, 21, 26) rgb(229, 233, 239)" }));
        Assert.That((await browser.ConsoleAsync(Token)).Where(line => !line.Contains("401 (Unauthorized)", StringComparison.Ordinal)), Is.Empty);
    }
}
