using System.Text;
using LoadBalancer.Caching.Rules;
using LoadBalancer.Http;

namespace LoadBalancer.Caching.Tests.Rules;

/// <summary>RFC 9111 §2: what makes two requests one for the cache, and what does not.</summary>
public class CacheKeyTests
{
    [TestCase("/a?b=c", "h", "http\nh\n/a?b=c\n")]
    [TestCase("/a", "H.Example:80", "http\nh.example\n/a\n")]
    [TestCase("/a", "h:", "http\nh\n/a\n")]
    [TestCase("/a", "h:443", "http\nh:443\n/a\n")]
    [TestCase("/a", "[::1]:80", "http\n[::1]\n/a\n")]
    [TestCase("/a", "[::80]", "http\n[::80]\n/a\n")]
    [TestCase("/a?", "h", "http\nh\n/a\n")]
    [TestCase("/A/%7e?x=%41", "h", "http\nh\n/A/~?x=%41\n", Description = "the path is normal, the query as it is")]
    [TestCase("http://H/a?b", "ignored", "http\nh\n/a?b\n", Description = "absolute form")]
    public void TheResourceIsNamedInFull(string target, string host, string expected) => Assert.That(Key(new(), target, host), Is.EqualTo(expected));

    [TestCase("?b=2&a=1&b=1", "?a=1&b=2&b=1", Description = "equal names keep their order")]
    [TestCase("?b&a=&a", "?a=&a&b")]
    [TestCase("?&&a=1&", "?a=1")]
    [TestCase("?&", "")]
    [TestCase("?ab=1&a=2", "?a=2&ab=1")]
    public void ParametersMayBeSorted(string query, string expected) => Assert.That(Query(new() { SortsQuery = true }, query), Is.EqualTo(expected));

    [TestCase("?utm_source=x&id=1&utm_medium=y&fbclid=z", "?id=1")]
    [TestCase("?utm_source=x", "")]
    [TestCase("?UTM_source=x", "?UTM_source=x")]
    [TestCase("?utm%5Fsource=x", "")]
    [TestCase("?fbclid", "")]
    [TestCase("?fbclid2=x", "?fbclid2=x")]
    [TestCase("?utm_source=x;id=2", "?utm_source=x;id=2", Description = "to some origins a ';' begins another parameter")]
    public void ParametersMayBeLeftOut(string query, string expected) =>
        Assert.That(Query(new() { Query = QueryRule.Except, QueryNames = ["utm_*", "fbclid"] }, query), Is.EqualTo(expected));

    [TestCase("?x=1&id=2&y", "?id=2")]
    [TestCase("?%69d=2&x", "?%69d=2", Description = "the origin decodes it")]
    [TestCase("?x;id=2", "?x;id=2")]
    [TestCase("?id=%ZZ&i%64=%zz&%6=1&%", "?id=%ZZ&i%64=%zz")]
    public void OnlySomeParametersMayCount(string query, string expected) => Assert.That(Query(new() { Query = QueryRule.Only, QueryNames = ["id"] }, query), Is.EqualTo(expected));

    [Test]
    public void TheQueryMayBeLeftOut() => Assert.That(Query(new() { Query = QueryRule.None }, "?a=1"), Is.Empty);

    [Test]
    public void SchemeAndHostMayBeLeftOut()
    {
        Assert.That(Key(new() { UsesScheme = false }, "/a", "h"), Is.EqualTo("\nh\n/a\n"));
        Assert.That(Key(new() { UsesHost = false }, "/a", "h"), Is.EqualTo("http\n\n/a\n"));
        Assert.That(Key(new(), "/a", "h:443", isHttps: true), Is.EqualTo("https\nh\n/a\n"));
    }

    [TestCase("", "--")]
    [TestCase("X-A: 1", "=1-")]
    [TestCase("X-A:", "=-", Description = "empty is not absent")]
    [TestCase("x-a: 1 , 2|X-A: 3", "=1,2,3-")]
    [TestCase("Cookie: b=1; s=2; t=3", "-=2")]
    [TestCase("Cookie: b=1|Cookie: s=", "-=")]
    [TestCase("Cookie: ss=2; S=3", "--")]
    public void FieldsAndCookiesMayCount(string lines, string expected) =>
        Assert.That(Key(new() { Fields = ["X-A"], Cookies = ["s"] }, "/", "h", lines: lines).Replace("\n", "", StringComparison.Ordinal), Is.EqualTo("httph/" + expected));

    [Test]
    public void ACookieThatComesTwiceIsNotForTheCache() => Assert.That(TryKey(new() { Cookies = ["s"] }, "/", "h", out _, lines: "Cookie: s=1; s=2"), Is.False);

    [Test]
    public void WhatDoesNotFitIsNotForTheCache()
    {
        var options = new CacheKeyOptions { Fields = ["X-A"], Cookies = ["s"], SortsQuery = true };
        const string Lines = "X-A: abc|Cookie: s=xyz";
        Assert.That(TryKey(options, "/a?b=1&c", "h", out int length, lines: Lines), Is.True);
        for (int room = 0; room < length; room++) Assert.That(TryKey(options, "/a?b=1&c", "h", out _, lines: Lines, room: room), Is.False, $"{room}");
        Assert.That(TryKey(options, "/a?b=1&c", "h", out _, lines: Lines, room: length), Is.True);
        string many = string.Join('&', Enumerable.Range(0, QueryFilter.ParametersMax + 1));
        Assert.That(TryKey(options, "/?" + many, "h", out _), Is.False);
        Assert.That(TryKey(new(), "/?" + many, "h", out _), Is.True);
    }

    [Test]
    public void HeadHasTheKeyOfGet() => Assert.That(Key(new(), "/a", "h", method: "HEAD"), Is.EqualTo(Key(new(), "/a", "h")));

    [Test]
    public void RandomRequestsHaveOneKeyEachAndDifferentOnesDiffer()
    {
        var random = new Random(3);
        var seen = new Dictionary<string, string>();
        string alphabet = "ab=&-;%2";
        for (int i = 0; i < 20_000; i++)
        {
            string query = Any(), field = Any(), cookie = Any().Replace(";", "", StringComparison.Ordinal).Replace("=", "", StringComparison.Ordinal);
            var options = new CacheKeyOptions { Fields = ["X-A"], Cookies = ["s"] };
            string lines = $"X-A: {field}|Cookie: s={cookie}";
            string key = Key(options, "/?" + query, "h", lines: lines);
            Assert.That(Key(options, "/?" + query, "h", lines: lines), Is.EqualTo(key));
            string identity = $"{query}\0{field}\0{cookie}";
            if (seen.TryGetValue(key, out string? other)) Assert.That(other, Is.EqualTo(identity));
            seen[key] = identity;
        }

        string Any() => new([.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => alphabet[random.Next(alphabet.Length)])]);
    }

    [Test]
    public void ThePrefixBeginsAllKeysUnderIt()
    {
        byte[] buffer = new byte[256];
        Assert.That(CacheKey.Default.TryWritePrefix(buffer, false, "H"u8, "/a/"u8, out int length), Is.True);
        string prefix = Heads.Text(buffer.AsSpan(0, length));
        Assert.That(Key(new(), "/a/b?c", "h"), Does.StartWith(prefix));
        Assert.That(Key(new(), "/ab", "h"), Does.Not.StartWith(prefix));
        Assert.That(Key(new(), "/a/b", "hh"), Does.Not.StartWith(prefix));
        var withFields = new CacheKey(new() { Fields = ["X-A"] });
        Assert.That((CacheKey.Default.HasRequestParts, withFields.HasRequestParts), Is.EqualTo((false, true)));
        Assert.That(withFields.TryWriteResource(buffer, false, "h"u8, "/a"u8, "?b"u8, out length), Is.True);
        Assert.That(Key(new() { Fields = ["X-A"] }, "/a?b", "h", lines: "X-A: 1"), Does.StartWith(Heads.Text(buffer.AsSpan(0, length))));
    }

    private static string Query(CacheKeyOptions options, string query)
    {
        string key = Key(options, "/" + query, "h");
        return key["http\nh\n/".Length..^1];
    }

    private static string Key(CacheKeyOptions options, string target, string host, bool isHttps = false, string lines = "", string method = "GET")
    {
        byte[] buffer = new byte[16 * 1024];
        Assert.That(TryKey(options, target, host, out int length, isHttps, lines, method, buffer: buffer), Is.True);
        return Heads.Text(buffer.AsSpan(0, length));
    }

    private static bool TryKey(CacheKeyOptions options, string target, string host, out int length, bool isHttps = false, string lines = "", string method = "GET", int room = 16 * 1024, byte[]? buffer = null)
    {
        byte[] bytes = Encoding.Latin1.GetBytes($"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{(lines.Length == 0 ? "" : lines.Replace("|", "\r\n", StringComparison.Ordinal) + "\r\n")}\r\n");
        var request = new RequestHead();
        Assert.That(request.Parse(bytes, HeadLimits.Default), Is.EqualTo(ParseStatus.Complete));
        byte[] path = bytes.AsSpan(request.PathStart, request.PathLength).ToArray();
        int pathLength = PathNormalizer.Normalize(path, path);
        buffer ??= new byte[room];
        return new CacheKey(options).TryWrite(buffer, isHttps, request, bytes, path.AsSpan(0, pathLength), out length);
    }
}
