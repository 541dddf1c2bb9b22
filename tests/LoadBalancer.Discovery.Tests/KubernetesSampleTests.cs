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

    [Test]
    public void TheContainerFitsTheImage()
    {
        string dockerfile = Repository.Read("packaging/docker/Dockerfile"), yaml = Repository.Read("samples/Kubernetes/balancer.yaml");
        Assert.That(yaml, Does.Contain("packaging/docker/Dockerfile"));
        JsonElement pod = yaml.Split("\n---\n").Select(Read).Single(o => o.Text("kind") == "Deployment").GetProperty("spec").GetProperty("template").GetProperty("spec"), container = pod.Items("containers").Single();
        // In Kubernetes "args" stand in the place of CMD, after ENTRYPOINT.
        Assert.That(container.Member("command"), Is.Null);
        Assert.That(Line(dockerfile, "ENTRYPOINT "), Is.EqualTo("[\"/usr/bin/lb\"]"));
        Assert.That(container.GetProperty("args").GetRawText(), Is.EqualTo(Line(dockerfile, "CMD ").Replace(", ", ",", StringComparison.Ordinal)));
        string user = Line(dockerfile, "USER ");
        Assert.That($"{container.GetProperty("securityContext").Number("runAsUser")}:{pod.GetProperty("securityContext").Number("fsGroup")}", Is.EqualTo(user));
        Assert.That(Line(dockerfile, "EXPOSE ").Split(' '), Does.Contain($"{container.Items("ports").Single().Number("containerPort")}"));

        // The root is read-only: what is written needs a volume, the image's own count for nothing here. /var/lib/lb and /var/cache/lb are for ACME and disk caches, which are not configured.
        var volumes = pod.Items("volumes").ToDictionary(volume => volume.Text("name")!);
        var mounts = container.Items("volumeMounts").ToDictionary(mount => mount.Text("mountPath")!, mount => volumes[mount.Text("name")!]);
        Assert.That(mounts.Keys, Is.EquivalentTo(new[] { "/etc/lb", "/run/lb" }));
        Assert.That(mounts["/run/lb"].Member("emptyDir"), Is.Not.Null);
        Assert.That(dockerfile, Does.Contain("XDG_RUNTIME_DIR=/run ").And.Contain("\"/run/lb\""));

        // And it is as docs/container.md has it.
        string[] parts = Repository.Read("docs/container.md").Split("```yaml\n");
        JsonElement shown = Read(parts[1][..parts[1].IndexOf("```", StringComparison.Ordinal)]), other = shown.Items("containers").Single();
        Assert.That(shown.Items("volumes").Select(Text), Is.SupersetOf(new[] { Text(volumes["run"]) }));
        Assert.That(other.Items("volumeMounts").Select(mount => mount.Text("mountPath")), Is.EquivalentTo(mounts.Keys));
        foreach (JsonProperty property in other.GetProperty("securityContext").EnumerateObject())
            Assert.That(Text(container.GetProperty("securityContext").GetProperty(property.Name)), Is.EqualTo(Text(property.Value)), property.Name);
    }

    private static string Text(JsonElement element) => element.GetRawText();

    // The last instruction of a name is the one that counts.
    private static string Line(string dockerfile, string instruction) => dockerfile.Split('\n').Last(line => line.StartsWith(instruction, StringComparison.Ordinal))[instruction.Length..];

    private static JsonElement Read(string yaml)
    {
        Assert.That(YamlReader.TryConvert(Encoding.UTF8.GetBytes(yaml), new JsonLimits(), out byte[]? json, out int line, out string error), Is.True, $"{line}: {error}");
        return JsonDocument.Parse(json!).RootElement;
    }
}
