using LoadBalancer.Edge.Commands;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

public sealed class TextTableTests
{
    [Test]
    public void Lay_ControlCharacters_ReachNoTerminal() =>
        Assert.That(TextTable.Lay([["ETAG", "TAGS"], ["\"\u009b2J\u001b[1m\u007f\r\n\"", "é"]]), Is.EqualTo(new[] { "ETAG          TAGS", "\"?2J?[1m???\"  é" }));
}
