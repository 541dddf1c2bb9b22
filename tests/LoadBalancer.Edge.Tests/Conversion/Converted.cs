using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Edge.Conversion;
using LoadBalancer.Edge.Conversion.Nginx;
using LoadBalancer.Edge.Conversion.Yarp;
using LoadBalancer.Hosting.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests.Conversion;

/// <summary>What came of a configuration of another balancer: read by lb's own reader, which must find nothing wrong.</summary>
internal sealed record Converted(ProxyConfig Config, string[] Findings)
{
    internal static Converted Nginx(string text)
    {
        string folder = Directory.CreateTempSubdirectory("lb-test-").FullName;
        try
        {
            string file = Path.Combine(folder, "nginx.conf");
            File.WriteAllText(file, text);
            // The check reads certificates: these may be named.
            if (text.Contains(".pem", StringComparison.Ordinal))
            {
                using var certificate = new TestCertificate("localhost");
                foreach (string name in (string[])["a.pem", "b.pem", "ca.pem"]) File.Copy(certificate.Pem, Path.Combine(folder, name));
            }
            return Of(NginxConverter.Convert(file), folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Of the content of "http"; its first line is line 2.</summary>
    internal static Converted NginxHttp(string block) => Nginx($"http {{\n{block}\n}}");

    internal static Converted Yarp(string text) => Of(YarpConverter.Convert(Encoding.UTF8.GetBytes(text), "appsettings.json"), "");

    /// <summary>Whether there is a finding on a line that says something.</summary>
    internal bool Tells(int line, string text) => Findings.Any(finding => finding.StartsWith($"{line}: ", StringComparison.Ordinal) && finding.Contains(text, StringComparison.Ordinal));

    private static Converted Of(ConversionResult result, string folder)
    {
        ConfigReadResult read = ConfigFile.Parse(Encoding.UTF8.GetBytes(result.Text ?? ""), Path.Combine(folder, "lb.json"));
        Assert.That(read.Problems, Is.Empty, result.Text);
        return new Converted(read.Config!, [.. result.Findings.Select(finding => $"{finding.Line}: {finding.Message}")]);
    }
}
