using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery.Kubernetes;
using LoadBalancer.Discovery.Sources;
using NUnit.Framework;

namespace LoadBalancer.Discovery.Tests;

/// <summary>From slices to destinations.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class EndpointSliceTests
{
    private const string Leaving = "\"ready\":false,\"serving\":true,\"terminating\":true", Out = "\"ready\":false,\"serving\":false,\"terminating\":true";

    [Test]
    public void Destinations_SeveralSlices_AreOneService() => Assert.That(Found(null, [
        SliceText.Slice("api-2", "1", SliceText.Pod("b", "10.0.0.2", zone: "eu-1b")),
        SliceText.Slice("api-1", "1", SliceText.Pod("a", "10.0.0.1"), SliceText.Pod("b", "10.0.0.2", zone: "eu-1b"))]), Is.EqualTo(new[] { "a=10.0.0.1:8080", "b=10.0.0.2:8080@eu-1b" }));

    [Test]
    public void Destinations_PodWithBothKindsOfAddresses_IsOneDestination() => Assert.That(Found("http", [
        SliceText.Slice("api-1", "1", "IPv6", [SliceText.HttpPort], [SliceText.Pod("a", "fd00::1"), SliceText.Pod("b", "fd00::2")]),
        SliceText.Slice("api-2", "1", SliceText.Pod("a", "10.0.0.1"))]), Is.EqualTo(new[] { "a=10.0.0.1:8080", "b=[fd00::2]:8080" }));

    [Test]
    public void Destinations_NoneReady_AreThoseThatStillAnswer()
    {
        string leaving = SliceText.Pod("a", "10.0.0.1", Leaving), gone = SliceText.Pod("b", "10.0.0.2", Out), starting = SliceText.Pod("c", "10.0.0.3", "\"ready\":false");
        Assert.That(Found(null, [SliceText.Slice("api-1", "1", leaving, gone, starting)]), Is.EqualTo(new[] { "a=10.0.0.1:8080" }));
        Assert.That(Found(null, [SliceText.Slice("api-1", "1", leaving, gone, starting, SliceText.Pod("d", "10.0.0.4"))]), Is.EqualTo(new[] { "d=10.0.0.4:8080" }));
    }

    [TestCase("")]
    [TestCase("\"ready\":null")]
    public void Destinations_ConditionsNotSaid_CountAsReady(string conditions) =>
        Assert.That(Found(null, [SliceText.Slice("api-1", "1", SliceText.Pod("a", "10.0.0.1", conditions))]), Is.EqualTo(new[] { "a=10.0.0.1:8080" }));

    [TestCase("http", "a=10.0.0.1:8080 b=10.0.0.2:9090")]
    [TestCase("9090", "b=10.0.0.2:9090 EndpointSlice api-1: it has no port \"9090\"; it has http 8080, metrics 9100")]
    [TestCase("metrics", "a=10.0.0.1:9100 EndpointSlice api-2: it has no port \"metrics\"; it has http 9090")]
    [TestCase(null, "b=10.0.0.2:9090 EndpointSlice api-1: it has several ports; set \"port\" to one of http 8080, metrics 9100")]
    public void Destinations_Port_IsThatOfEachSlice(string? port, string expected) => Assert.That(string.Join(' ', Found(port, [
        SliceText.Slice("api-1", "1", "IPv4", [SliceText.HttpPort, """{"name":"metrics","protocol":"TCP","port":9100}""", """{"name":"dns","protocol":"UDP","port":53}"""], [SliceText.Pod("a", "10.0.0.1")]),
        SliceText.Slice("api-2", "1", "IPv4", ["""{"name":"http","protocol":"TCP","port":9090}"""], [SliceText.Pod("b", "10.0.0.2")])])), Is.EqualTo(expected));

    [Test]
    public void Destinations_SliceWhosePortCanNoLongerBeTold_KeepsTheOneItHad()
    {
        const string Metrics = """{"name":"metrics","protocol":"TCP","port":9100}""", Problem = "EndpointSlice api-1: it has several ports; set \"port\" to one of http 8080, metrics 9100";
        string a = SliceText.Pod("a", "10.0.0.1"), b = SliceText.Pod("b", "10.0.0.2");
        var ports = new SlicePorts(null);
        Assert.That(FoundBy(ports, [SliceText.Slice("api-1", "1", "IPv4", ["""{"name":"","protocol":"TCP","port":8080}"""], [a])]), Is.EqualTo(new[] { "a=10.0.0.1:8080" }));
        Assert.That(FoundBy(ports, [SliceText.Slice("api-1", "2", "IPv4", [SliceText.HttpPort, Metrics], [a])]), Is.EqualTo(new[] { "a=10.0.0.1:8080", Problem }));
        Assert.That(FoundBy(ports, [SliceText.Slice("api-1", "3", "IPv4", [SliceText.HttpPort, Metrics], [b])]), Is.EqualTo(new[] { "b=10.0.0.2:8080", Problem }), "pods come and go meanwhile");
        Assert.That(FoundBy(ports, [SliceText.Slice("api-1", "4", "IPv4", [Metrics], [b])]), Is.EqualTo(new[] { "b=10.0.0.2:9100" }), "it can be told again");
    }

    [Test]
    public void Destinations_SliceMadeAnewWhosePortCannotBeTold_HasThatOfTheOthers()
    {
        string[] several = [SliceText.HttpPort, """{"name":"metrics","protocol":"TCP","port":9100}"""];
        string a = SliceText.Pod("a", "10.0.0.1"), b = SliceText.Pod("b", "10.0.0.2");
        var ports = new SlicePorts("http");
        Assert.That(FoundBy(ports, [SliceText.Slice("api-1", "1", a)]), Is.EqualTo(new[] { "a=10.0.0.1:8080" }));
        Assert.That(FoundBy(ports, []), Is.Empty, "between the two");
        string renamed = SliceText.Slice("api-2", "2", "IPv4", [SliceText.HttpPort.Replace("http", "web", StringComparison.Ordinal), several[1]], [a]), another = SliceText.Slice("api-3", "2", "IPv4", [several[1]], [b]);
        Assert.That(FoundBy(ports, [renamed, another]).First(), Is.EqualTo("a=10.0.0.1:8080"));
        Assert.That(FoundBy(ports, [renamed, another]), Has.Exactly(2).Items, "9100 was never the port; the problem stands beside");
    }

    [Test]
    public void Destinations_WithoutPods_AreNamedByTheirAddress() => Assert.That(Found("443", [
        """{"metadata":{"name":"out"},"addressType":"FQDN","endpoints":[{"addresses":["db.example.com"]}],"ports":[]}""",
        """{"metadata":{"name":"own"},"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1","10.0.0.9"],"conditions":{}}],"ports":null}"""]), Is.EqualTo(new[] { "db.example.com:443=db.example.com:443", "10.0.0.1:443=10.0.0.1:443" }));

    [TestCase("""{"metadata":{"name":"x"},"addressType":"IPv4","endpoints":[{"addresses":["localhost"]}],"ports":[{"port":80}]}""", "\"localhost\" is no address")]
    [TestCase("""{"metadata":{"name":"x"},"addressType":"IPv4","endpoints":[{"addresses":[]},{},7,{"addresses":[1]}],"ports":[{"port":80}]}""", "")]
    [TestCase("""{"metadata":{"name":"x"},"addressType":"IPv4","endpoints":[{"addresses":["0.0.0.0"]}],"ports":[{"port":80}]}""", "\"0.0.0.0:80\": ")]
    [TestCase("""{"metadata":{"name":"x"},"addressType":"FQDN","endpoints":[{"addresses":["unix:/run/x"]}],"ports":[{"port":80}]}""", "\"unix:/run/x\" is no address")]
    [TestCase("""{"metadata":{"name":"x"},"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"]}],"ports":[{"port":80000}]}""", "EndpointSlice x: ")]
    public void Destinations_WhatIsNone_IsLeftOut(string slice, string problem) => Assert.That(string.Concat(Found(null, [slice])), Does.StartWith(problem));

    [TestCase("{}")]
    [TestCase("[]")]
    [TestCase("""{"metadata":{"name":"x"},"addressType":"Bluetooth"}""")]
    [TestCase("""{"metadata":[],"addressType":"IPv4"}""")]
    public void Read_OfSomethingElse_IsNone(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        Assert.That(EndpointSlice.Read(document.RootElement), Is.Null);
    }

    // Destinations, and the problem where there is one.
    private static IEnumerable<string> Found(string? port, string[] slices) => FoundBy(new SlicePorts(port), slices);

    private static List<string> FoundBy(SlicePorts ports, string[] slices)
    {
        EndpointSlice[] read = [.. slices.Select(slice =>
        {
            using JsonDocument document = JsonDocument.Parse(slice);
            return EndpointSlice.Read(document.RootElement)!;
        })];
        Dictionary<string, DestinationConfig> destinations = KubernetesSource.Destinations(read, ports, new DiscoverConfig { Tier = 3 }, out string? problem);
        Assert.That(destinations.Values.Select(destination => destination.Tier), Is.All.EqualTo(3));
        List<string> found = [.. destinations.Select(one => $"{one.Key}={one.Value.Address}{(one.Value.Zone is { } zone ? $"@{zone}" : "")}")];
        if (problem is not null) found.Add(problem);
        return found;
    }
}
