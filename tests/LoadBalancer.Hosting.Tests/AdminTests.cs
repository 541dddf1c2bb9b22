using System.Text;
using LoadBalancer.Admin;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests;

/// <summary>The admin listener in the configuration and in a host.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class AdminTests
{
    private const string Rest = """ "listeners": { "web": { "address": "127.0.0.1:0" } }, "routes": { "r": { "respond": {} } } """;

    [TestCase("\"off\"", "off", null)]
    [TestCase("\"unix:/run/lb/admin.sock\"", "unix:/run/lb/admin.sock", null)]
    [TestCase("{}", null, null)]
    [TestCase("{ \"address\": \"127.0.0.1:9900\", \"token\": \"${TOKEN}\" }", "127.0.0.1:9900", "0123456789abcdef")]
    public void Admin_Valid_IsRead(string value, string? address, string? token)
    {
        ConfigReadResult result = Read(value);
        Assert.That(result.Problems, Is.Empty);
        Assert.That(result.Config!.Admin, Is.EqualTo(new AdminConfig { Address = address, Token = token }));
        Assert.That(result.Config.ToString(), Does.Not.Contain("0123456789abcdef"), "a secret is not printed with the rest");
    }

    [TestCase("\"127.0.0.1:9900\"", "admin.address: \"127.0.0.1:9900\" is TCP, which anybody on this machine can reach: add a \"token\"")]
    [TestCase("\"nowhere\"", "admin.address: \"nowhere\" has no port")]
    [TestCase("{ \"address\": \":9900\", \"token\": \"secret\" }", "admin.token: has 6 characters; expected 16 to 256")]
    [TestCase("{ \"token\": \"0123456789 abcdef\" }", "admin.token: has a character that a bearer token cannot have")]
    [TestCase("{ \"listen\": \":9900\" }", "admin.listen: unknown key \"listen\"; did you mean \"address\"?")]
    [TestCase("false", "admin: expected an object or a string, found false")]
    public void Admin_Invalid_SaysWhy(string value, string problem)
    {
        ConfigDiagnostic found = Read(value).Problems.Single();
        Assert.That(found.ToString(), Does.Contain(problem).And.Not.Contain("secret"));
    }

    [Test, CancelAfter(30_000)]
    public async Task Host_WithAdmin_ListensFromBeforeTheBalancerUntilAfterIt(CancellationToken cancellationToken)
    {
        string folder = Directory.CreateTempSubdirectory("lb-test-").FullName;
        ProxyConfig config = Read($"\"unix:{folder}/admin.sock\"").Config!;
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddLoadBalancer(config);
        using IHost host = builder.Build();
        await host.StartAsync(cancellationToken);
        var client = new AdminClient(host.Services.GetRequiredService<AdminServer>().EndPoint!, token: null);
        Assert.That((await client.SendAsync("GET", "/ready", null, cancellationToken)).Status, Is.EqualTo(200));
        Assert.That(host.Services.GetRequiredService<ProxyServer>().IsServing, Is.True);
        await host.StopAsync(cancellationToken);
        Assert.That(File.Exists($"{folder}/admin.sock"), Is.False);
        Directory.Delete(folder, recursive: true);
    }

    [Test]
    public void Host_WithoutAdmin_HasNone()
    {
        var services = new ServiceCollection();
        services.AddLoadBalancer(new ProxyConfig());
        Assert.That(services.Any(s => s.ServiceType == typeof(AdminServer)), Is.False);
    }

    private static ConfigReadResult Read(string admin) => ConfigFile.Parse(
        Encoding.UTF8.GetBytes($$"""{ "admin": {{admin}}, {{Rest}} }"""), "lb.json", name => name == "TOKEN" ? "0123456789abcdef" : null);
}
