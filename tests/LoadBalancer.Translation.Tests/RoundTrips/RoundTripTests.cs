using LoadBalancer.Translation.Maps;
using LoadBalancer.Translation.RoundTrips;

namespace LoadBalancer.Translation.Tests.RoundTrips;

/// <summary>What is said of documents that come back, and of those that do not.</summary>
public class RoundTripTests
{
    private static readonly VersionMap Map = TestMaps.OfFields("['name <-> fullName', {'v1':'old','lossy':true}, {'path':'state','default':{'v2':'none'}}, {'path':'t','convert':{'v1':'rfc3339','v2':'unix-seconds'}}, 'items[].a <-> list[].b']");

    [Test]
    public void Check_ADocumentThatComesBack_IsIdentity()
    {
        RoundTripReport report = RoundTrip.Check(Map, 0, BodyUse.Request, TestMaps.Bytes("{'name':'a','state':'x','n':1.50,'items':[{'a':1}]}"));
        Assert.That((report.IsIdentity, report.Differences.Count), Is.EqualTo((true, 0)));
        Assert.That(report.ToString(), Is.EqualTo("POST /v1/things, request, v1 -> v2 -> v1: comes back"));
    }

    [Test]
    public void Check_DeclaredLosses_AreNamedWithTheirRule()
    {
        RoundTripReport report = RoundTrip.Check(Map, 0, BodyUse.Response, TestMaps.Bytes("{'old':[1],'n':1}"));
        Assert.That(report.IsIdentity, Is.True);
        Assert.That(report.Differences.Select(d => d.ToString()), Is.EqualTo(new[]
        {
            "/old: [1] came back as nothing (declared by routes[0].response.fields[1])",
            "/state: nothing came back as \"none\" (declared by routes[0].response.fields[2])",
        }));
    }

    [Test]
    public void Check_WhatNobodyDeclared_IsADifference()
    {
        RoundTripReport report = RoundTrip.Check(Map, 0, BodyUse.Request, TestMaps.Bytes("{'state':'x','fullName':'b','items':[{'b':2}],'t':'2026-11-29T02:00:00+01:00'}"));
        Assert.That(report.IsIdentity, Is.False);
        Assert.That(report.Differences.Select(d => d.ToString()), Is.EqualTo(new[]
        {
            "/fullName: \"b\" came back as nothing",
            "/items/0/b: 2 came back as nothing",
            "/t: \"2026-11-29T02:00:00+01:00\" came back as \"2026-11-29T01:00:00Z\"",
        }));
        Assert.That(report.ToString(), Does.Contain("does not come back").And.Contain("\n  v2: {"));
    }

    [Test]
    public void Check_WhatCannotBeTranslated_HasAProblem()
    {
        RoundTripReport report = RoundTrip.Check(Map, 0, BodyUse.Request, TestMaps.Bytes("{'t':'2026-11-29T01:00:00.5Z'}"));
        Assert.That((report.IsIdentity, report.Problem?.Pointer), Is.EqualTo((false, "/t")));
    }

    [Test]
    public void Check_FromV2()
    {
        RoundTripReport report = RoundTrip.Check(Map, 0, BodyUse.Request, TestMaps.Bytes("{'fullName':'b','state':'none'}"), MapVersion.V2);
        Assert.That(report.Differences, Is.Empty);
        Assert.That(report.Translated, JsonIs.EqualTo("{\"name\":\"b\",\"state\":\"none\"}"));
    }

    [Test]
    public void Check_AWholeMap_MakesItsOwnSamples()
    {
        IReadOnlyList<RoundTripReport> reports = RoundTrip.Check(Map, samples: 5);
        Assert.That(reports, Has.Count.EqualTo(10));
        Assert.That(reports, Has.All.Property(nameof(RoundTripReport.IsIdentity)).True, string.Join('\n', reports));
        Assert.That(reports[0].Document, Does.Contain("\"name\"").And.Contain("\"items\""));
    }
}
