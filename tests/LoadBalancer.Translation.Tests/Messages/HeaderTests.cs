using LoadBalancer.Translation.Messages;

namespace LoadBalancer.Translation.Tests.Messages;

/// <summary>Header fields and status codes.</summary>
public class HeaderTests
{
    private static readonly VersionMap Map = VersionMap.Parse(TestMaps.Bytes("""
        { 'routes': [{ 'v1': 'GET /a', 'v2': 'GET /b',
            'request': { 'headers': ['X-User <-> X-Account', 'A <-> B', 'B <-> A', { 'v2': 'X-Api', 'constant': '2' }, { 'v1': 'X-Old', 'lossy': true }, { 'path': 'X-On', 'convert': { 'enum': [[true, 'yes']] }, 'default': { 'v2': 'no' } }] },
            'response': { 'status': { '200': 202, '409': 422 } } }] }
        """));

    [TestCase("x-user: 1|X-USER: 2", "X-Account: 1|X-Account: 2|X-Api: 2|X-On: no")]
    [TestCase("A: 1|B: 2|C: 3", "C: 3|B: 1|A: 2|X-Api: 2|X-On: no")]
    [TestCase("X-Account: forged|X-Api: forged|X-Old: 1|X-On: true", "X-Api: 2|X-On: yes")]
    public void Apply_DoesAllRulesAtOnce(string before, string after)
    {
        var fields = new Fields(before);
        Assert.That(Map.ForV1Clients.Operations[0].RequestFields!.Apply(fields), Is.Null);
        Assert.That(fields.ToString(), Is.EqualTo(after));
    }

    [Test]
    public void Apply_TheOtherWay_TakesAwayWhatWasAdded()
    {
        var fields = new Fields("X-Account: 1|X-Api: 2|X-On: yes");
        Assert.That(Map.ForV2Clients.Operations[0].RequestFields!.Apply(fields), Is.Null);
        Assert.That(fields.ToString(), Is.EqualTo("X-User: 1|X-On: true"));
    }

    [Test]
    public void Apply_WhatCannotBeConverted_IsAProblemThatDoesNotQuoteIt() =>
        Assert.That(Map.ForV1Clients.Operations[0].RequestFields!.Apply(new Fields("X-On: secret"))?.ToString(), Does.Contain("\"X-On\"").And.Contain("routes[0].request.headers[5]").And.Not.Contain("secret"));

    [TestCase(202, 200)]
    [TestCase(422, 409)]
    [TestCase(200, 200)]
    public void Status_OfTheDestination_BecomesTheClients(int status, int expected) => Assert.That(Map.ForV1Clients.Operations[0].Status(status), Is.EqualTo(expected));

    [TestCase(200, 202)]
    [TestCase(202, 202)]
    public void Status_TheOtherWay(int status, int expected) => Assert.That(Map.ForV2Clients.Operations[0].Status(status), Is.EqualTo(expected));

    private sealed class Fields(string lines) : IMessageFields
    {
        private readonly List<(string Name, string Value)> _lines = [.. lines.Split('|').Select(l => l.Split(": ")).Select(l => (l[0], l[1]))];

        public void Read(string name, List<string> values) => values.AddRange(_lines.Where(l => l.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(l => l.Value));

        public void Remove(string name) => _lines.RemoveAll(l => l.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

        public void Append(string name, string value) => _lines.Add((name, value));

        public override string ToString() => string.Join('|', _lines.Select(l => $"{l.Name}: {l.Value}"));
    }
}
