namespace LoadBalancer.Http.Tests;

public class RequestHeadTests
{
    private static string Piece(string text, int start, int length) => text.Substring(start, length);

    [Test]
    public void Parse_TypicalGet_FindsAllParts()
    {
        const string Text = "GET /a/b?x=1&y=/ HTTP/1.1\r\nHost: example.com:8080\r\nUser-Agent:\t curl/8 \t\r\nAccept:*/*\r\nEmpty:\r\n\r\nbody";
        RequestHead head = Wire.GoodRequest(Text);
        byte[] bytes = Wire.Bytes(Text);
        Assert.Multiple(() =>
        {
            Assert.That(head.Method, Is.EqualTo(RequestMethod.Get));
            Assert.That(Piece(Text, head.MethodStart, head.MethodLength), Is.EqualTo("GET"));
            Assert.That(Piece(Text, head.TargetStart, head.TargetLength), Is.EqualTo("/a/b?x=1&y=/"));
            Assert.That(Piece(Text, head.PathStart, head.PathLength), Is.EqualTo("/a/b"));
            Assert.That(Piece(Text, head.QueryStart, head.QueryLength), Is.EqualTo("?x=1&y=/"));
            Assert.That(Piece(Text, head.AuthorityStart, head.AuthorityLength), Is.EqualTo("example.com:8080"));
            Assert.That(head.TargetForm, Is.EqualTo(TargetForm.Origin));
            Assert.That(head.MinorVersion, Is.EqualTo(1));
            Assert.That(head.KeepAlive, Is.True);
            Assert.That(head.Framing, Is.EqualTo(MessageFraming.None));
            Assert.That(head.ContentLength, Is.EqualTo(-1));
            Assert.That(head.HasBody, Is.False);
            Assert.That(head.FieldCount, Is.EqualTo(4));
            Assert.That(Wire.Text(head.NameOf(1, bytes)), Is.EqualTo("User-Agent"));
            Assert.That(Wire.Text(head.ValueOf(1, bytes)), Is.EqualTo("curl/8"));
            Assert.That(Wire.Text(head.ValueOf(2, bytes)), Is.EqualTo("*/*"));
            Assert.That(Wire.Text(head.ValueOf(3, bytes)), Is.Empty);
            Assert.That(head.Length, Is.EqualTo(Text.Length - 4));
            Assert.That(Text[head.Fields[0].LineEnd], Is.EqualTo('U'));
            Assert.That(head.FieldsStart, Is.EqualTo(Text.IndexOf("Host", StringComparison.Ordinal)));
        });
    }

    [Test]
    public void OneEmptyLineBeforeTheRequestIsIgnored()
    {
        RequestHead head = Wire.GoodRequest("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.That((head.MethodStart, head.TargetStart, head.Length), Is.EqualTo((2, 6, 29)));
    }

    [TestCase("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", RejectionReason.BadStartLine)]
    [TestCase("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", RejectionReason.ControlCharacter)]
    [TestCase("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", RejectionReason.ControlCharacter)]
    public void MoreThanOneEmptyLineIsRejected(string text, RejectionReason reason) => Assert.That(Wire.Request(text).Rejection, Is.EqualTo(reason));

    [TestCase("GET", RequestMethod.Get)]
    [TestCase("HEAD", RequestMethod.Head)]
    [TestCase("POST", RequestMethod.Post)]
    [TestCase("PUT", RequestMethod.Put)]
    [TestCase("DELETE", RequestMethod.Delete)]
    [TestCase("OPTIONS", RequestMethod.Options)]
    [TestCase("TRACE", RequestMethod.Trace)]
    [TestCase("PATCH", RequestMethod.Patch)]
    [TestCase("get", RequestMethod.Other)]
    [TestCase("GETX", RequestMethod.Other)]
    [TestCase("M-SEARCH", RequestMethod.Other)]
    [TestCase("!#$%&'*+-.^_`|~09az", RequestMethod.Other)]
    [TestCase("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", RequestMethod.Other)]
    public void Parse_Method_IsRecognised(string method, RequestMethod expected) =>
        Assert.That(Wire.GoodRequest($"{method} / HTTP/1.1\r\nHost: a\r\n\r\n").Method, Is.EqualTo(expected));

    [TestCase("GET / HTTP/1.2", 1)]
    [TestCase("GET / HTTP/1.9", 1)]
    [TestCase("GET / HTTP/1.0", 0)]
    public void Parse_LaterMinorVersion_IsOne(string line, int minor) => Assert.That(Wire.GoodRequest($"{line}\r\nHost: a\r\n\r\n").MinorVersion, Is.EqualTo(minor));

    [TestCase("GET /", RejectionReason.BadStartLine)] // HTTP/0.9
    [TestCase("GET", RejectionReason.BadStartLine)]
    [TestCase("GET ", RejectionReason.BadStartLine)]
    [TestCase("GET  HTTP/1.1", RejectionReason.BadStartLine)]
    [TestCase("GET HTTP/1.1", RejectionReason.BadStartLine)]
    [TestCase(" GET / HTTP/1.1", RejectionReason.BadStartLine)]
    [TestCase("GET  / HTTP/1.1", RejectionReason.BadStartLine)]
    [TestCase("GET /  HTTP/1.1", RejectionReason.BadStartLine)]
    [TestCase("GET /a b HTTP/1.1", RejectionReason.BadStartLine)]
    [TestCase("GET /a?b c HTTP/1.1", RejectionReason.BadStartLine)]
    [TestCase("GET / HTTP/1.1 ", RejectionReason.BadStartLine)]
    [TestCase("GET /\tHTTP/1.1", RejectionReason.BadStartLine)]
    [TestCase("GET\t/ HTTP/1.1", RejectionReason.BadMethod)]
    [TestCase("GET\v/ HTTP/1.1", RejectionReason.ControlCharacter)]
    [TestCase("GET /\t HTTP/1.1", RejectionReason.BadTarget)]
    [TestCase("GET / HTTP/1.1\t", RejectionReason.BadVersion)]
    [TestCase("GET / http/1.1", RejectionReason.BadVersion)]
    [TestCase("GET / HTTP/1.", RejectionReason.BadVersion)]
    [TestCase("GET / HTTP/1.10", RejectionReason.BadVersion)]
    [TestCase("GET / HTTP/1.x", RejectionReason.BadVersion)]
    [TestCase("GET / HTTP/1", RejectionReason.BadVersion)]
    [TestCase("GET / HTTP/11", RejectionReason.BadVersion)]
    [TestCase("GET / HTTP/01.1", RejectionReason.BadVersion)]
    [TestCase("GET / XTTP/1.1", RejectionReason.BadVersion)]
    [TestCase("GET / HTTP/2.0", RejectionReason.UnsupportedVersion)]
    [TestCase("PRI * HTTP/2.0", RejectionReason.UnsupportedVersion)]
    [TestCase("GET / HTTP/0.9", RejectionReason.UnsupportedVersion)]
    [TestCase("GET / HTTP/3.1", RejectionReason.UnsupportedVersion)]
    [TestCase("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345( / HTTP/1.1", RejectionReason.BadMethod)]
    [TestCase("G(T / HTTP/1.1", RejectionReason.BadMethod)]
    [TestCase("G\u00C4T / HTTP/1.1", RejectionReason.BadMethod)]
    [TestCase("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456 / HTTP/1.1", RejectionReason.MethodTooLong)] // 33
    public void Parse_BadStartLine_IsRejected(string line, RejectionReason reason) => Assert.That(Wire.Request($"{line}\r\nHost: a\r\n\r\n").Rejection, Is.EqualTo(reason));

    [TestCase("/")]
    [TestCase("//")]
    [TestCase("/{a}|[b]'()*,;:@!$&=+~-._")]
    [TestCase("/%41%ff%7e")]
    [TestCase("/?%")] // only the path's encoding matters to routing; queries hold anything
    [TestCase("/?%00%zz?/?")]
    [TestCase("/a?")]
    public void Parse_GoodTarget_IsAccepted(string target) => Assert.That(Wire.GoodRequest($"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").TargetLength, Is.EqualTo(target.Length));

    [TestCase("GET", "a")]
    [TestCase("GET", "?a")]
    [TestCase("GET", "*")]
    [TestCase("GET", "**")]
    [TestCase("OPTIONS", "**")]
    [TestCase("GET", "a.b:80")]
    [TestCase("GET", "/a#b")]
    [TestCase("GET", "/a?b#c")]
    [TestCase("GET", "/a\"")]
    [TestCase("GET", "/a<")]
    [TestCase("GET", "/a>")]
    [TestCase("GET", "/a\\b")]
    [TestCase("GET", "/a^")]
    [TestCase("GET", "/a`")]
    [TestCase("GET", "/\u00E9")]
    [TestCase("GET", "/?\u00E9")]
    [TestCase("GET", "/%")]
    [TestCase("GET", "/%4")]
    [TestCase("GET", "/%4?1")]
    [TestCase("GET", "/%zz")]
    [TestCase("GET", "/%4g")]
    [TestCase("GET", "/a%00b")]
    [TestCase("GET", "ftp://a/")]
    [TestCase("GET", "http:/a/")]
    [TestCase("GET", "http:a")]
    [TestCase("GET", "http://a/%00")]
    [TestCase("CONNECT", "/")]
    [TestCase("CONNECT", "a")]
    [TestCase("CONNECT", "a:")]
    [TestCase("CONNECT", ":80")]
    [TestCase("CONNECT", "a:80/")]
    [TestCase("CONNECT", "u@a:80")]
    [TestCase("CONNECT", "http://a:80/")]
    [TestCase("CONNECT", "a:65536")]
    public void Parse_BadTarget_IsRejected(string method, string target) =>
        Assert.That(Wire.Request($"{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n").Rejection, Is.EqualTo(RejectionReason.BadTarget));

    [TestCase("http://b", "b", "", "")]
    [TestCase("HTTP://b/", "b", "/", "")]
    [TestCase("hTTps://b:1/x?y", "b:1", "/x", "?y")]
    [TestCase("http://b?y", "b", "", "?y")]
    [TestCase("http://[::1]:8/z", "[::1]:8", "/z", "")]
    public void Parse_AbsoluteForm_AuthorityReplacesHost(string target, string authority, string path, string query)
    {
        foreach (string host in new[] { "other", "" })
        {
            string text = $"GET {target} HTTP/1.1\r\nHost:{host}\r\n\r\n";
            RequestHead head = Wire.GoodRequest(text);
            Assert.Multiple(() =>
            {
                Assert.That(head.TargetForm, Is.EqualTo(TargetForm.Absolute));
                Assert.That(Piece(text, head.AuthorityStart, head.AuthorityLength), Is.EqualTo(authority));
                Assert.That(Piece(text, head.PathStart, head.PathLength), Is.EqualTo(path));
                Assert.That(Piece(text, head.QueryStart, head.QueryLength), Is.EqualTo(query));
            });
        }
    }

    [TestCase("http://")]
    [TestCase("http:///a")]
    [TestCase("http://?a")]
    [TestCase("http://u@b/")]
    [TestCase("http://u:p@b/")]
    [TestCase("http://b:x/")]
    [TestCase("http://b:65536/")]
    [TestCase("http://[::1/")]
    public void Parse_AbsoluteFormWithBadAuthority_IsRejected(string target) =>
        Assert.That(Wire.Request($"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").Rejection, Is.EqualTo(RejectionReason.BadHost));

    [Test]
    public void Parse_Connect_HasTheTargetAsAuthority()
    {
        const string Text = "CONNECT b.example:443 HTTP/1.1\r\nHost: a\r\n\r\n";
        RequestHead head = Wire.GoodRequest(Text);
        Assert.That((head.TargetForm, Piece(Text, head.AuthorityStart, head.AuthorityLength), head.PathLength), Is.EqualTo((TargetForm.Authority, "b.example:443", 0)));
    }

    [Test]
    public void Parse_OptionsAsterisk_HasThePathAsterisk()
    {
        const string Text = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n";
        RequestHead head = Wire.GoodRequest(Text);
        Assert.That((head.TargetForm, Piece(Text, head.PathStart, head.PathLength), Piece(Text, head.AuthorityStart, head.AuthorityLength)), Is.EqualTo((TargetForm.Asterisk, "*", "a")));
    }

    [TestCase("OPTIONS *", true)]
    [TestCase("OPTIONS http://b", true)]
    [TestCase("OPTIONS http://b/", false)]
    [TestCase("OPTIONS http://b?q", false)]
    [TestCase("GET http://b", false)]
    [TestCase("OPTIONS /", false)]
    public void Parse_Options_KnowsWhetherTheServerIsMeant(string line, bool expected) =>
        Assert.That(Wire.GoodRequest($"{line} HTTP/1.1\r\nHost: a\r\n\r\n").IsServerWide, Is.EqualTo(expected));

    [TestCase("HTTPS://b/", true)]
    [TestCase("http://b/", false)]
    [TestCase("/https://b", false)]
    public void Parse_Target_KnowsWhetherItIsHttps(string target, bool expected) =>
        Assert.That(Wire.GoodRequest($"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").IsHttpsTarget, Is.EqualTo(expected));

    [TestCase("a")]
    [TestCase("A-b.c_d~!$&'()*+,;=9")]
    [TestCase("a:")]
    [TestCase("a:0")]
    [TestCase("a:65535")]
    [TestCase("127.0.0.1:80")]
    [TestCase("[::1]")]
    [TestCase("[2001:db8::ffff]:443")]
    [TestCase("[::ffff:1.2.3.4]:1")]
    [TestCase("%61b%C3%A9:1")]
    public void Parse_GoodHost_IsTheAuthority(string host) => Assert.That(Wire.GoodRequest($"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").AuthorityLength, Is.EqualTo(host.Length));

    [TestCase("")]
    [TestCase(":80")]
    [TestCase("a b")]
    [TestCase("a\tb")]
    [TestCase("a/b")]
    [TestCase("a?b")]
    [TestCase("a#b")]
    [TestCase("u@a")]
    [TestCase("a:80:80")]
    [TestCase("a:-1")]
    [TestCase("a:8x")]
    [TestCase("a: 80")]
    [TestCase("a:65536")]
    [TestCase("a:000080")]
    [TestCase("[]")]
    [TestCase("[::1")]
    [TestCase("::1")]
    [TestCase("[::1]x")]
    [TestCase("[::1]:x")]
    [TestCase("[1.2.3.4]")]
    [TestCase("[::1%25eth0]")]
    [TestCase("[::1/64]")]
    [TestCase("[1:2:3]")]
    [TestCase("[::1::]")]
    [TestCase("[v1.a]")]
    [TestCase("[[::1]]")]
    [TestCase("[::1]]")]
    [TestCase("a%")]
    [TestCase("a%4")]
    [TestCase("a%zz")]
    [TestCase("a%00")]
    [TestCase("a%2f")]
    [TestCase("a%40b")]
    [TestCase("a\"")]
    [TestCase("a\\b")]
    [TestCase("{a}")]
    [TestCase("\u00E9")]
    [TestCase("http://a")]
    public void Parse_BadHost_IsRejected(string host)
    {
        Assert.That(Wire.Request($"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").Rejection, Is.EqualTo(RejectionReason.BadHost));
        Assert.That(Wire.Request($"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n").Rejection, Is.EqualTo(RejectionReason.BadHost));
    }

    [TestCase("GET / HTTP/1.1\r\n\r\n", RejectionReason.MissingHost)]
    [TestCase("GET http://a/ HTTP/1.1\r\n\r\n", RejectionReason.MissingHost)]
    [TestCase("GET http://a/ HTTP/1.1\r\nHost: b/\r\n\r\n", RejectionReason.BadHost)]
    [TestCase("GET / HTTP/1.0\r\n\r\n", RejectionReason.None)]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", RejectionReason.RepeatedHost)]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhOST: b\r\n\r\n", RejectionReason.RepeatedHost)]
    [TestCase("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", RejectionReason.RepeatedHost)]
    [TestCase("GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", RejectionReason.RepeatedHost)]
    public void Parse_HostCount_IsChecked(string text, RejectionReason reason) => Assert.That(Wire.Request(text).Rejection, Is.EqualTo(reason));

    [TestCase("100-continue", true)]
    [TestCase("100-Continue", true)]
    public void Parse_ExpectContinue_IsSet(string value, bool expected)
    {
        Assert.That(Wire.GoodRequest($"PUT / HTTP/1.1\r\nHost: a\r\nExpect: {value}\r\nContent-Length: 1\r\n\r\n").ExpectContinue, Is.EqualTo(expected));
        Assert.That(Wire.GoodRequest($"PUT / HTTP/1.0\r\nHost: a\r\nExpect: {value}\r\nContent-Length: 1\r\n\r\n").ExpectContinue, Is.False);
    }

    [TestCase("Expect: 200-ok")]
    [TestCase("Expect:")]
    [TestCase("Expect: 100-continue, x")]
    [TestCase("Expect: 100-continue\r\nExpect: y")]
    public void Parse_OtherExpectation_IsRejected(string line) =>
        Assert.That(Wire.Request($"PUT / HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n").Rejection, Is.EqualTo(RejectionReason.UnsupportedExpectation));

    [TestCase("", -1)]
    [TestCase("Max-Forwards: 0\r\n", 0)]
    [TestCase("Max-Forwards: 17\r\n", 17)]
    [TestCase("Max-Forwards: 99999999999\r\n", int.MaxValue)]
    [TestCase("Max-Forwards: -1\r\n", -1)]
    [TestCase("Max-Forwards: 1, 2\r\n", -1)]
    [TestCase("Max-Forwards:\r\n", -1)]
    [TestCase("Max-Forwards: 1\r\nMax-Forwards: 1\r\n", -1)]
    public void Parse_MaxForwards_IsRead(string line, int expected) => Assert.That(Wire.GoodRequest($"TRACE / HTTP/1.1\r\nHost: a\r\n{line}\r\n").MaxForwards, Is.EqualTo(expected));

    [TestCase("Content-Length: 1", RejectionReason.UnexpectedContent)]
    [TestCase("Transfer-Encoding: chunked", RejectionReason.UnexpectedContent)]
    [TestCase("Content-Length: 0", RejectionReason.None)]
    public void Parse_TraceWithContent_IsRejected(string line, RejectionReason reason) =>
        Assert.That(Wire.Request($"TRACE / HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n").Rejection, Is.EqualTo(reason));

    [Test]
    public void RequestLineAtTheLimitPassesAndOneByteMoreDoesNot()
    {
        var limits = new HeadLimits(100, 4096, 64);
        string target = "/" + new string('a', 100 - "GET / HTTP/1.1".Length);
        Assert.That(Wire.Request($"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n", limits).Rejection, Is.EqualTo(RejectionReason.None));
        Assert.That(Wire.Request($"GET {target}a HTTP/1.1\r\nHost: a\r\n\r\n", limits).Rejection, Is.EqualTo(RejectionReason.StartLineTooLong));
        Assert.That(Wire.Request("\r\n" + new string('a', 101), limits).Rejection, Is.EqualTo(RejectionReason.StartLineTooLong), "its end has not arrived");
        Assert.That(Wire.Request("\r\n" + new string('a', 100), limits).Rejection, Is.EqualTo(RejectionReason.None), "may still end");
    }

    [Test]
    public void HeadAtTheLimitPassesAndOneByteMoreDoesNot()
    {
        string start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        var limits = new HeadLimits(100, 200, 64);
        string value = new('v', 200 - start.Length - 4);
        Assert.That(Wire.Request(start + value + "\r\n\r\n", limits).Length, Is.EqualTo(200));
        Assert.That(Wire.Request(start + value + "v\r\n\r\n", limits).Rejection, Is.EqualTo(RejectionReason.HeadTooLarge));
        Assert.That(Wire.Request(start + value + "vvvv", limits).Rejection, Is.EqualTo(RejectionReason.HeadTooLarge), "its end has not arrived");
        Assert.That(Wire.Request(start + value + "vvv", limits).Length, Is.Zero);
    }

    [Test]
    public void FieldsAtTheLimitPassAndOneMoreDoesNot()
    {
        var limits = new HeadLimits(100, 4096, 40);
        string fields = string.Concat(Enumerable.Range(0, 39).Select(i => $"X-{i}: {i}\r\n"));
        Assert.That(Wire.Request($"GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n", limits).FieldCount, Is.EqualTo(40));
        Assert.That(Wire.Request($"GET / HTTP/1.1\r\nHost: a\r\n{fields}Y: 1\r\n\r\n", limits).Rejection, Is.EqualTo(RejectionReason.TooManyFields));
    }

    [Test]
    public void Reset_AfterAnyMessage_LeavesNothingBehind()
    {
        var head = new RequestHead();
        head.Parse("POST https://b/x?y HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nMax-Forwards: 3\r\nConnection: upgrade, te\r\nTE: trailers\r\nUpgrade: websocket\r\n\r\n"u8, Wire.Limits);
        Assert.That(head.IsUpgrade && head.AcceptsTrailers && head.ExpectContinue, Is.True);
        head.Reset();
        byte[] next = Wire.Bytes("GET / HTTP/1.0\r\n\r\n");
        string reused = Wire.Describe(head, head.Parse(next, Wire.Limits), next);
        var fresh = new RequestHead();
        // The query offset is that of the end of the path, for both.
        Assert.That(reused, Is.EqualTo(Wire.Describe(fresh, fresh.Parse(next, Wire.Limits), next)));
    }

    [Test]
    public void Parse_AgainAfterTheEnd_GivesTheSameAnswer()
    {
        var head = new RequestHead();
        Assert.That(head.Parse("GET / HTTP/1.0\r\n\r\n"u8, Wire.Limits), Is.EqualTo(ParseStatus.Complete));
        Assert.That(head.Parse("GET / HTTP/1.0\r\n\r\nmore"u8, Wire.Limits), Is.EqualTo(ParseStatus.Complete));
        head.Reset();
        Assert.That(head.Parse("\0"u8, Wire.Limits), Is.EqualTo(ParseStatus.Rejected));
        Assert.That(head.Parse("\0GET"u8, Wire.Limits), Is.EqualTo(ParseStatus.Rejected));
    }
}
