using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LoadBalancer.Testing;

namespace LoadBalancer.Admin.Tests;

/// <summary>A headless Chromium, driven by chromedriver (W3C WebDriver). Skips the test where one of them is missing.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private readonly Process _driver;
    private readonly HttpClient _http;
    private string _session = "";

    private Browser(Process driver, int port)
    {
        _driver = driver;
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromMinutes(2) };
    }

    internal static async Task<Browser> StartAsync(CancellationToken token)
    {
        string chromium = SystemProgram.Require("chromium");
        Process driver = Process.Start(new ProcessStartInfo(SystemProgram.Require("chromedriver"), ["--port=0"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _ = driver.StandardError.ReadToEndAsync(CancellationToken.None);
        Match port;
        do port = Regex.Match(await driver.StandardOutput.ReadLineAsync(token) ?? throw new IOException("chromedriver has ended"), @"successfully on port (\d+)");
        while (!port.Success);
        _ = driver.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var browser = new Browser(driver, int.Parse(port.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
        try
        {
            JsonElement created = await browser.CallAsync(HttpMethod.Post, "/session", new JsonObject
            {
                ["capabilities"] = new JsonObject
                {
                    ["alwaysMatch"] = new JsonObject
                    {
                        ["browserName"] = "chrome",
                        ["goog:loggingPrefs"] = new JsonObject { ["browser"] = "ALL" },
                        ["goog:chromeOptions"] = new JsonObject
                        {
                            ["binary"] = chromium,
                            // No sandbox within a sandbox: containers, and tests as root.
                            ["args"] = new JsonArray("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
                        },
                    },
                },
            }, token);
            browser._session = $"/session/{created.GetProperty("sessionId").GetString()}";
            await browser.CallAsync(HttpMethod.Post, $"{browser._session}/timeouts", new JsonObject { ["script"] = 90_000 }, token);
            return browser;
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    internal Task OpenAsync(string url, CancellationToken token) => CallAsync(HttpMethod.Post, $"{_session}/url", new JsonObject { ["url"] = url }, token);

    /// <summary>What a script returns.</summary>
    internal Task<JsonElement> RunAsync(string script, CancellationToken token) =>
        CallAsync(HttpMethod.Post, $"{_session}/execute/sync", new JsonObject { ["script"] = script, ["args"] = new JsonArray() }, token);

    /// <summary>Waits, in the page and by its own changes, until a condition holds.</summary>
    internal Task WaitAsync(string condition, CancellationToken token) => CallAsync(HttpMethod.Post, $"{_session}/execute/async", new JsonObject
    {
        ["script"] = $$"""
            const done = arguments[0], holds = () => {{condition}};
            if (holds()) return done();
            const watch = new MutationObserver(() => { if (holds()) { watch.disconnect(); done(); } });
            watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
            """,
        ["args"] = new JsonArray(),
    }, token);

    internal async Task ShowAsAsync(int width, string scheme, CancellationToken token)
    {
        await DevToolsAsync("Emulation.setDeviceMetricsOverride", new JsonObject { ["width"] = width, ["height"] = 800, ["deviceScaleFactor"] = 1, ["mobile"] = width < 600 }, token);
        await DevToolsAsync("Emulation.setEmulatedMedia", new JsonObject { ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = scheme }) }, token);
    }

    /// <summary>What the page has written to the console, and what the browser says of it.</summary>
    internal async Task<string[]> ConsoleAsync(CancellationToken token) =>
        [.. (await CallAsync(HttpMethod.Post, $"{_session}/se/log", new JsonObject { ["type"] = "browser" }, token)).EnumerateArray().Select(line => line.GetProperty("message").GetString()!)];

    private Task<JsonElement> DevToolsAsync(string command, JsonObject parameters, CancellationToken token) =>
        CallAsync(HttpMethod.Post, $"{_session}/goog/cdp/execute", new JsonObject { ["cmd"] = command, ["params"] = parameters }, token);

    private async Task<JsonElement> CallAsync(HttpMethod method, string path, JsonObject? body, CancellationToken token)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json") };
        using HttpResponseMessage response = await _http.SendAsync(request, token);
        string text = await response.Content.ReadAsStringAsync(token);
        if (!response.IsSuccessStatusCode) throw new IOException($"{path}: {text}");
        return JsonDocument.Parse(text).RootElement.GetProperty("value");
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_session.Length > 0) await CallAsync(HttpMethod.Delete, _session, null, CancellationToken.None);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            // it ends with its driver
        }
        _http.Dispose();
        _driver.Kill(entireProcessTree: true);
        await _driver.WaitForExitAsync(CancellationToken.None);
        _driver.Dispose();
    }
}
