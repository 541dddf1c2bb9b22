using System.Text;
using LoadBalancer.Core.Policies;

namespace LoadBalancer.Core.Tests.Policies;

/// <summary>Header fields that policies change.</summary>
public class HeaderFieldsTests
{
    [Test]
    public void Set_TakesThePlaceOfAllOfThatName()
    {
        HeaderFields fields = Of(("A", "1"), ("b", "2"), ("a", "3"));
        fields.Set("a", "4");
        Assert.That(Lines(fields), Is.EqualTo(new[] { "A: 4", "b: 2" }));
    }

    [Test]
    public void Set_WhereThereIsNoRoom_ChangesNothing()
    {
        HeaderFields fields = Of(("a", "1"), ("a", "2"), ("long", new string('x', HeaderFields.BytesMax - 100)));
        Assert.That(() => fields.Set("a", new string('y', 200)), Throws.ArgumentException);
        Assert.That(Lines(fields)[..2], Is.EqualTo(new[] { "a: 1", "a: 2" }));
    }

    [TestCase("a b", "1")]
    [TestCase("", "1")]
    [TestCase("a", "1\r\nb: 2")]
    [TestCase("a", " 1")]
    [TestCase("a", "\0")]
    [TestCase("Content-Length", "1")]
    [TestCase("transfer-encoding", "chunked")]
    [TestCase("Connection", "close")]
    public void Set_WhatCannotBeSent_ChangesNothing(string name, string value)
    {
        HeaderFields fields = Of(("a", "0"));
        Assert.That(() => fields.Set(Encoding.Latin1.GetBytes(name), Encoding.Latin1.GetBytes(value)), Throws.ArgumentException);
        Assert.That(() => fields.Append(Encoding.Latin1.GetBytes(name), Encoding.Latin1.GetBytes(value)), Throws.ArgumentException);
        Assert.That(Lines(fields), Is.EqualTo(new[] { "a: 0" }));
    }

    [Test]
    public void Append_BeyondTheirNumber_ChangesNothing()
    {
        HeaderFields fields = Of([.. Enumerable.Range(0, HeaderFields.CountMax).Select(i => ($"f{i}", "1"))]);
        Assert.That(() => fields.Append("one-more", "1"), Throws.ArgumentException);
        Assert.That(fields.Count, Is.EqualTo(HeaderFields.CountMax));
    }

    private static HeaderFields Of(params (string Name, string Value)[] lines)
    {
        var fields = new HeaderFields();
        foreach ((string name, string value) in lines) fields.Append(name, value);
        return fields;
    }

    private static string[] Lines(HeaderFields fields) =>
        [.. Enumerable.Range(0, fields.Count).Select(i => $"{Encoding.Latin1.GetString(fields.NameAt(i))}: {Encoding.Latin1.GetString(fields.ValueAt(i))}")];
}
