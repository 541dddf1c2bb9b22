namespace LoadBalancer.Http.Tests;

/// <summary>Rules for field lines, the same in requests, responses and trailers.</summary>
public class FieldTests
{
    private static void AssertRejected(string fields, RejectionReason reason)
    {
        Assert.That(Wire.Request($"GET / HTTP/1.1\r\n{fields}").Rejection, Is.EqualTo(reason), "request");
        Assert.That(Wire.Response($"HTTP/1.1 200 OK\r\n{fields}").Rejection, Is.EqualTo(reason), "response");
        var trailers = new TrailerSection();
        trailers.Parse(Wire.Bytes(fields));
        Assert.That(trailers.Rejection, Is.EqualTo(reason == RejectionReason.None ? reason : RejectionReason.BadTrailer), "trailers");
    }

    [TestCase("X : y")]
    [TestCase("X\t: y")]
    [TestCase(": y")]
    [TestCase("X Y: z")]
    [TestCase("X(: y")]
    [TestCase("X@: y")]
    [TestCase("\u00E9: y")]
    [TestCase("\"X\": y")]
    [TestCase("A-name-that-has-more-than-thirty-two-bytes : y")]
    [TestCase("Host : y")]
    public void BadNamesAreRejected(string line)
    {
        AssertRejected($"Host: a\r\n{line}\r\n\r\n", RejectionReason.BadFieldName);
        AssertRejected($"{line}\r\nHost: a\r\n\r\n", RejectionReason.BadFieldName);
    }

    [TestCase("X")]
    [TestCase("X y")]
    [TestCase("A-name-that-has-more-than-thirty-two-bytes")]
    [TestCase("\u00E9")]
    public void LinesWithoutColonAreRejected(string line)
    {
        AssertRejected($"Host: a\r\n{line}\r\n\r\n", RejectionReason.MissingColon);
        AssertRejected($"{line}\r\nHost: a\r\n\r\n", RejectionReason.MissingColon);
    }

    [TestCase("X: y\r\n z\r\n")]
    [TestCase("X: y\r\n\tz\r\n")]
    [TestCase(" X: y\r\n")]
    [TestCase("\tX: y\r\n")]
    [TestCase("X: y\r\n \r\n")]
    public void FoldedLinesAreRejected(string lines)
    {
        AssertRejected($"{lines}Host: a\r\n\r\n", RejectionReason.LineFolding);
        AssertRejected($"Host: a\r\n{lines}\r\n", RejectionReason.LineFolding);
    }

    [Test]
    public void ControlCharactersAreRejectedEverywhere()
    {
        const string Good = "Host: abc\r\nX-Long-Enough-To-Cross-Blocks: 0123456789012345678901234567890123456789\r\nAb: c\r\n\r\n";
        for (int c = 0; c < 256; c++)
        {
            if (c is >= 0x20 and not 0x7F or '\t') continue;
            for (int at = 0; at < Good.Length; at++)
            {
                // A CR or LF put in front of its like or of its other half may make a different good message; those cases are spelled out below.
                if (c is '\r' or '\n' && (Good[at] is '\r' or '\n' || (at > 0 && Good[at - 1] is '\r' or '\n'))) continue;
                string bad = Good.Insert(at, ((char)c).ToString());
                RequestHead head = new();
                Assert.That(head.Parse(Wire.Bytes("GET / HTTP/1.1\r\n" + bad), Wire.Limits), Is.EqualTo(ParseStatus.Rejected), $"{c} at {at}");
                Assert.That(head.Rejection, Is.EqualTo(RejectionReason.ControlCharacter), $"{c} at {at}");
            }
        }
    }

    [TestCase("Host: a\n\r\n")]
    [TestCase("Host: a\n\n")]
    [TestCase("Host: a\r\r\n\r\n")]
    [TestCase("Host: a\r\n\n")]
    [TestCase("Host: a\r\n\rX")]
    [TestCase("Host: a\rX: b\r\n\r\n")]
    [TestCase("Host: a\n X: b\r\n\r\n")]
    [TestCase("Host: a\0\r\n\r\n")]
    [TestCase("Ho\0st: a\r\n\r\n")]
    [TestCase("Host: a\u007F\r\n\r\n")]
    public void LineEndsAreCrLfOnly(string fields) => AssertRejected(fields, RejectionReason.ControlCharacter);

    [Test]
    public void ValuesMayHoldTabsAndHighBytes()
    {
        const string Text = "GET / HTTP/1.1\r\nHost: a\r\nX: \tb\tc\u0080\u00FF \r\n\r\n";
        RequestHead head = Wire.GoodRequest(Text);
        Assert.That(Wire.Text(head.ValueOf(1, Wire.Bytes(Text))), Is.EqualTo("b\tc\u0080\u00FF"));
    }

    [Test]
    public void NamesOfAllLengthsAndTokenCharactersAreFound()
    {
        foreach (string alphabet in new[] { "aZ-09_", "!#$%&'*+-.^_`|~aZ9" })
        {
            for (int length = 1; length < 100; length++)
            {
                string name = string.Concat(Enumerable.Range(0, length).Select(i => alphabet[i % alphabet.Length]));
                string text = $"GET / HTTP/1.0\r\n{name}:v\r\n\r\n";
                var head = new RequestHead();
                Assert.That(head.Parse(Wire.Bytes(text), Wire.Limits), Is.EqualTo(ParseStatus.Complete), name);
                Assert.That(Wire.Text(head.NameOf(0, Wire.Bytes(text))), Is.EqualTo(name));
                Assert.That(head.Fields[0].Known, Is.EqualTo(KnownField.Other));
            }
        }
    }

    private static readonly (string Name, KnownField Field)[] KnownNames =
    [
        ("Host", KnownField.Host), ("Content-Length", KnownField.ContentLength), ("Transfer-Encoding", KnownField.TransferEncoding),
        ("Connection", KnownField.Connection), ("Keep-Alive", KnownField.KeepAlive), ("Proxy-Connection", KnownField.ProxyConnection),
        ("Proxy-Authenticate", KnownField.ProxyAuthenticate), ("Proxy-Authorization", KnownField.ProxyAuthorization), ("TE", KnownField.Te),
        ("Trailer", KnownField.Trailer), ("Upgrade", KnownField.Upgrade), ("Expect", KnownField.Expect), ("Via", KnownField.Via),
        ("Forwarded", KnownField.Forwarded), ("X-Forwarded-For", KnownField.XForwardedFor), ("X-Forwarded-Proto", KnownField.XForwardedProto),
        ("X-Forwarded-Host", KnownField.XForwardedHost), ("Date", KnownField.Date), ("Max-Forwards", KnownField.MaxForwards),
        ("HTTP2-Settings", KnownField.Http2Settings), ("Strict-Transport-Security", KnownField.StrictTransportSecurity),
        ("User-Agent", KnownField.UserAgent), ("Referer", KnownField.Referer), ("traceparent", KnownField.TraceParent), ("tracestate", KnownField.TraceState),
        ("RateLimit", KnownField.RateLimit), ("RateLimit-Policy", KnownField.RateLimit),
    ];

    [TestCase("Client-Cert", true)]
    [TestCase("CLIENT-CERT-CHAIN", true)]
    [TestCase("client-cert-subject", true)]
    [TestCase("Client_Cert", true)]
    [TestCase("client_cert-anything_at_all_however_long_it_may_be", true)]
    [TestCase("Client-Cert-", true)]
    [TestCase("Client-Certs", false)]
    [TestCase("Client-Certificate", false)]
    [TestCase("Client.Cert", false)]
    [TestCase("Client-Cer", false)]
    [TestCase("XClient-Cert", false)]
    [TestCase("Client-IP-Address", false)]
    public void WhatTellsOfTheClientsCertificateIsOneFamily(string name, bool isOfIt)
    {
        foreach (string padding in new[] { "", "X-Padding: 0123456789012345678901234567890123456789\r\n" })
            Assert.That(Classify(name, padding), Is.EqualTo(isOfIt ? KnownField.ClientCertificate : KnownField.Other), name);
    }

    [TestCase("X_Forwarded_For", true)]
    [TestCase("x_forwarded-for", true)]
    [TestCase("X-FORWARDED_PROTO", true)]
    [TestCase("X_Forwarded-Host", true)]
    [TestCase("X.Forwarded.For", false)]
    [TestCase("X_Forwarded_Fo", false)]
    [TestCase("X_Forwarded_Port", false)]
    [TestCase("X_ForwardeX_For", false)]
    public void UnderscoresMakeALookAlike(string name, bool isOne)
    {
        foreach (string padding in new[] { "", "X-Padding: 0123456789012345678901234567890123456789\r\n" })
            Assert.That(Classify(name, padding), Is.EqualTo(isOne ? KnownField.XForwardedLookAlike : KnownField.Other), name);
    }

    [Test]
    public void KnownNamesAreFoundInAnyCaseAndNearMissesAreNot()
    {
        Assert.That(KnownNames.Select(k => k.Field).Distinct().Append(KnownField.Other).Append(KnownField.ClientCertificate).Append(KnownField.XForwardedLookAlike), Is.EquivalentTo(Enum.GetValues<KnownField>()));
        foreach ((string name, KnownField field) in KnownNames)
        {
            foreach (string padding in new[] { "", "X-Padding: 0123456789012345678901234567890123456789\r\n" })
            {
                Assert.That(Classify(name, padding), Is.EqualTo(field), name);
                Assert.That(Classify(name.ToUpperInvariant(), padding), Is.EqualTo(field), name);
                Assert.That(Classify(name.ToLowerInvariant(), padding), Is.EqualTo(field), name);
                for (int i = 0; i < name.Length; i++)
                {
                    // Bytes that differ from a letter only in bit 5 or 6, where folding could go wrong.
                    foreach (char c in new[] { '_', '-', '^', '~', 'x', (char)(name[i] ^ 1) })
                    {
                        string other = name[..i] + c + name[(i + 1)..];
                        if (string.Equals(other, name, StringComparison.OrdinalIgnoreCase) || !Syntax.IsToken(Wire.Bytes(other))) continue;
                        bool isLookAlike = c == '_' && name[i] == '-' && name.StartsWith("X-Forwarded-", StringComparison.Ordinal);
                        Assert.That(Classify(other, padding), Is.EqualTo(isLookAlike ? KnownField.XForwardedLookAlike : KnownField.Other), other);
                    }
                }
                Assert.That(Classify(name + "s", padding), Is.EqualTo(KnownField.Other));
                Assert.That(Classify("x" + name, padding), Is.EqualTo(KnownField.Other));
            }
        }
    }

    private static KnownField Classify(string name, string padding)
    {
        var trailers = new TrailerSection();
        Assert.That(trailers.Parse(Wire.Bytes($"{name}:\r\n{padding}\r\n")), Is.EqualTo(ParseStatus.Complete), name);
        return trailers.Fields[0].Known;
    }

    [Test]
    public void IndexOf_KnownField_IsTheFirstLine()
    {
        RequestHead head = Wire.GoodRequest("GET / HTTP/1.1\r\nX: 1\r\nVia: 1\r\nHost: a\r\nvia: 2\r\n\r\n");
        Assert.That((head.IndexOf(KnownField.Via), head.IndexOf(KnownField.Host), head.IndexOf(KnownField.Date), head.IndexOf(KnownField.Other)), Is.EqualTo((1, 2, -1, -1)));
    }
}
