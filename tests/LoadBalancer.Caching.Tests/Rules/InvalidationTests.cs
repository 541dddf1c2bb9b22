using System.Text;
using LoadBalancer.Caching.Rules;
using LoadBalancer.Http;

namespace LoadBalancer.Caching.Tests.Rules;

/// <summary>RFC 9111 §4.4.</summary>
public class InvalidationTests
{
    [TestCase(RequestMethod.Post, 200, true)]
    [TestCase(RequestMethod.Put, 204, true)]
    [TestCase(RequestMethod.Delete, 303, true)]
    [TestCase(RequestMethod.Patch, 299, true)]
    [TestCase(RequestMethod.Other, 200, true, Description = "a method whose safety is not known")]
    [TestCase(RequestMethod.Post, 400, false)]
    [TestCase(RequestMethod.Post, 500, false)]
    [TestCase(RequestMethod.Get, 200, false)]
    [TestCase(RequestMethod.Head, 200, false)]
    [TestCase(RequestMethod.Options, 200, false)]
    [TestCase(RequestMethod.Trace, 200, false)]
    public void UnsafeMethodsThatSucceed(RequestMethod method, int status, bool expected) => Assert.That(Invalidation.Applies(method, status), Is.EqualTo(expected));

    [TestCase("/x?y#z", "/x|?y")]
    [TestCase("http://h/x", "/x|")]
    [TestCase("HTTP://H:80/x", "/x|")]
    [TestCase("http://h", "/|")]
    [TestCase("//h/x", "/x|")]
    [TestCase("c", "/a/c|")]
    [TestCase("./c?d=/:e", "/a/c|?d=/:e")]
    [TestCase("../c", "/c|")]
    [TestCase("../../../c", "/c|")]
    [TestCase("?q", "/a/b|?q")]
    [TestCase("", "/a/b|")]
    [TestCase("#z", "/a/b|")]
    [TestCase("/%7e/%2e%2e/x", "/x|")]
    [TestCase("/x:y", "/x:y|")]
    [TestCase("https://h/x", null, Description = "another scheme is another origin")]
    [TestCase("http://other/x", null)]
    [TestCase("http://h:81/x", null)]
    [TestCase("//other/x", null)]
    [TestCase("http://h@other/x", null)]
    [TestCase("http://u@h/x", null)]
    [TestCase("http:/x", null)]
    [TestCase("mailto:x", null)]
    [TestCase("http://h?q", null, Description = "no path")]
    [TestCase("/a b", null)]
    [TestCase("/x?a b", null)]
    [TestCase("/\u00e4", null)]
    [TestCase("/%zz", null)]
    [TestCase("/%00", null)]
    public void OnlyTheSameOriginIsNamed(string reference, string? expected)
    {
        byte[] buffer = new byte[128];
        bool resolved = Invalidation.TryResolve(Encoding.Latin1.GetBytes(reference), false, "H"u8, "/a/b"u8, buffer, out int pathLength, out int length);
        Assert.That(resolved ? Heads.Text(buffer.AsSpan(0, pathLength)) + "|" + Heads.Text(buffer.AsSpan(pathLength, length - pathLength)) : null, Is.EqualTo(expected));
    }

    [Test]
    public void WhatDoesNotFitIsLeft()
    {
        Assert.That(Invalidation.TryResolve("/abc"u8, false, "h"u8, "/"u8, new byte[3], out _, out _), Is.False);
        Assert.That(Invalidation.TryResolve("c"u8, false, "h"u8, "/a/b"u8, new byte[3], out _, out _), Is.False);
    }

    [Test]
    public void RandomReferencesNeverThrowAndNeverLeaveTheRoot()
    {
        var random = new Random(9);
        string alphabet = "/.:?#%2eh@ac\\ []";
        byte[] buffer = new byte[64];
        for (int i = 0; i < 50_000; i++)
        {
            byte[] reference = Encoding.ASCII.GetBytes([.. Enumerable.Range(0, random.Next(12)).Select(_ => alphabet[random.Next(alphabet.Length)])]);
            if (Invalidation.TryResolve(reference, false, "h"u8, "/a/b"u8, buffer, out int pathLength, out int length)) Assert.That(pathLength > 0 && buffer[0] == '/' && length >= pathLength);
        }
    }
}
