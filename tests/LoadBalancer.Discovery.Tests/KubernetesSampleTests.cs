using System.Text;
using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery.Remote;
using LoadBalancer.Hosting.Configuration;
using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.Yaml;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Discovery.Tests;

/// <summary>samples/Kubernetes as it stands.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class KubernetesSampleTests
{
    [Test]
    public void TheManifestIsYamlThatFitsTogetherAndItsConfigurationIsValid()
    {
        JsonElement[] objects = [.. Repository.Read("samples/Kubernetes/balancer.yaml").Split("\n---\n").Select(Read)];
        Assert.That(objects.Select(o => o.Text("kind")), Is.EqualTo(new[] { "ServiceAccount", "Role", "RoleBinding", "ConfigMap", "Deployment", "Service" }));
        Assert.That(objects.Select(o => o.GetProperty("metadata").Text("namespace")), Is.All.EqualTo("shop"));

        JsonElement rule = objects[1].Items("rules").Single();
        Assert.That(rule.GetRawText(), Is.EqualTo("""{"apiGroups":["discovery.k8s.io"],"resources":["endpointslices"],"verbs":["list","watch"]}"""), "what SliceWatch asks for");
        Assert.That(objects[2].GetProperty("roleRef").Text("name"), Is.EqualTo(objects[1].GetProperty("metadata").Text("name")));
        Assert.That(objects[2].Items("subjects").Single().Text("name"), Is.EqualTo(objects[0].GetProperty("metadata").Text("name")));

        string text = objects[3].GetProperty("data").Text("lb.json")!;
        ConfigReadResult result = ConfigFile.Parse(Encoding.UTF8.GetBytes(text), "/etc/lb/lb.json");
        Assert.That(result.Problems, Is.Empty);
        Assert.That(result.Config!.Clusters["api"].Discover, Is.EqualTo(new[] { new DiscoverConfig { Kubernetes = new() { Service = "api", Port = "http" } } }));

        JsonElement pod = objects[4].GetProperty("spec").GetProperty("template").GetProperty("spec");
        Assert.That(pod.Text("serviceAccountName"), Is.EqualTo("lb"));
        Assert.That(pod.Number("terminationGracePeriodSeconds"), Is.GreaterThan(5 + result.Config.DrainTimeout.TotalSeconds));
    }

    private static JsonElement Read(string yaml)
    {
        Assert.That(YamlReader.TryConvert(Encoding.UTF8.GetBytes(yaml), new JsonLimits(), out byte[]? json, out int line, out string error), Is.True, $"{line}: {error}");
        return JsonDocument.Parse(json!).RootElement;
    }
}
