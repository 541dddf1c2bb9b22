using System.Text;
using LoadBalancer.Caching.Rules;

namespace LoadBalancer.Caching.Tests.Rules;

public class PurgeTargetTests
{
    [TestCase("https://H.example:443/a?b", "https\nh.example\n/a?b\n", false)]
    [TestCase("http://h", "http\nh\n/\n", false)]
    [TestCase("http://h/%7ea/../b", "http\nh\n/b\n", false)]
    [TestCase("http://h/a/*", "http\nh\n/a/", true)]
    [TestCase("http://h/a?b=1*", "http\nh\n/a?b=1", true)]
    [TestCase("http://h/*", "http\nh\n/", true)]
    public void AUrlNamesAKeyOrAPrefix(string url, string expected, bool isPrefix) => Assert.That(Write(url, CacheKey.Default), Is.EqualTo((expected, isPrefix)));

    [Test]
    public void OptionsOfTheKeyCount()
    {
        Assert.That(Write("http://h/a?b=1&a=2", new(new() { SortsQuery = true })), Is.EqualTo(("http\nh\n/a?a=2&b=1\n", false)));
        Assert.That(Write("http://h/a?b=1*", new(new() { SortsQuery = true })), Is.EqualTo(("http\nh\n/a", true)), "all of the path");
        Assert.That(Write("http://h/a", new(new() { Fields = ["X-A"] })), Is.EqualTo(("http\nh\n/a\n", true)), "whatever the field was");
        Assert.That(Write("http://h/a", new(new() { UsesScheme = false, UsesHost = false })), Is.EqualTo(("\n\n/a\n", false)));
    }

    [TestCase("")]
    [TestCase("/a")]
    [TestCase("*")]
    [TestCase("h/a")]
    [TestCase("ftp://h/a")]
    [TestCase("http:///a")]
    [TestCase("http://u@h/a")]
    [TestCase("http://h/a b")]
    [TestCase("http://h/a\r\nX: y")]
    [TestCase("http://h/\u00e4")]
    [TestCase("http://h/%zz")]
    [TestCase("http://h/a#b")]
    public void WhatIsNoUrlIsRefusedWithAReason(string url)
    {
        Assert.That(PurgeTarget.Parse(url, out string? reason), Is.Null);
        Assert.That(reason, Is.Not.Empty.And.Not.Null);
    }

    [Test]
    public void ATooLongUrlIsRefused() => Assert.That(PurgeTarget.Parse("http://h/" + new string('a', 9000), out _), Is.Null);

    [Test]
    public void WhatDoesNotFitIsNotWritten() => Assert.That(PurgeTarget.Parse("http://h/abc", out _)!.TryWrite(CacheKey.Default, new byte[8], out _, out _), Is.False);

    private static (string Key, bool IsPrefix) Write(string url, CacheKey key)
    {
        byte[] buffer = new byte[1024];
        PurgeTarget? target = PurgeTarget.Parse(url, out string? reason);
        Assert.That(target, Is.Not.Null, reason);
        Assert.That(target!.TryWrite(key, buffer, out int length, out bool isPrefix), Is.True);
        return (Encoding.Latin1.GetString(buffer, 0, length), isPrefix);
    }
}
