namespace LoadBalancer.Http.Tests;

public class TrailerSectionTests
{
    [Test]
    public void Parse_NoTrailers_IsTheEmptyLine()
    {
        var section = new TrailerSection();
        Assert.That(section.Parse("\r"u8), Is.EqualTo(ParseStatus.NeedMore));
        Assert.That(section.Parse("\r\nGET"u8), Is.EqualTo(ParseStatus.Complete));
        Assert.That((section.Length, section.FieldCount), Is.EqualTo((2, 0)));
    }

    [Test]
    public void Parse_EverySplit_GivesTheSameFields()
    {
        const string Text = "X-Checksum: abc\r\ngrpc-status: 0\r\n\r\n";
        byte[] bytes = Wire.Bytes(Text);
        for (int split = 0; split < bytes.Length; split++)
        {
            var section = new TrailerSection();
            Assert.That(section.Parse(bytes.AsSpan(0, split)), Is.EqualTo(ParseStatus.NeedMore));
            Assert.That(section.Parse(bytes), Is.EqualTo(ParseStatus.Complete));
            Assert.That((section.Length, section.FieldCount, Wire.Text(section.ValueOf(1, bytes)), Wire.Dropped(section, Text)), Is.EqualTo((Text.Length, 2, "0", "")));
        }
    }

    [TestCase("Host")]
    [TestCase("Content-Length")]
    [TestCase("Transfer-Encoding")]
    [TestCase("TE")]
    [TestCase("Trailer")]
    [TestCase("Connection")]
    [TestCase("Keep-Alive")]
    [TestCase("Upgrade")]
    [TestCase("Proxy-Authorization")]
    [TestCase("Authorization")]
    [TestCase("cookie")]
    [TestCase("Set-Cookie")]
    [TestCase("CONTENT-TYPE")]
    [TestCase("Content-Encoding")]
    [TestCase("Content-Range")]
    [TestCase("Range")]
    [TestCase("Cache-Control")]
    [TestCase("Expires")]
    [TestCase("Pragma")]
    [TestCase("Age")]
    [TestCase("Vary")]
    [TestCase("Location")]
    [TestCase("Retry-After")]
    [TestCase("WWW-Authenticate")]
    [TestCase("If-Match")]
    [TestCase("If-None-Match")]
    [TestCase("If-Range")]
    [TestCase("If-Modified-Since")]
    [TestCase("If-Unmodified-Since")]
    [TestCase("Max-Forwards")]
    [TestCase("Expect")]
    [TestCase("Date")]
    [TestCase("Via")]
    [TestCase("Forwarded")]
    [TestCase("X-Forwarded-For")]
    [TestCase("X-Forwarded-X")]
    [TestCase("X-Forwarded-Anything")]
    [TestCase("X-Real-IP")]
    public void ForbiddenTrailersAreDropped(string name)
    {
        string text = $"X: y\r\n{name}: z\r\n\r\n";
        var section = new TrailerSection();
        Assert.That(section.Parse(Wire.Bytes(text)), Is.EqualTo(ParseStatus.Complete));
        Assert.That(Wire.Dropped(section, text), Is.EqualTo(name));
    }

    [TestCase(null, "")]
    [TestCase("x-one,close, X-TWO ,", "X-One x-two")]
    [TestCase("x-on,x-one1,, ;", "")]
    public void FieldsNamedByTheHeadsConnectionAreDropped(string? options, string expected)
    {
        const string Text = "X-One: 1\r\nX: y\r\nx-two: 2\r\n\r\n";
        var section = new TrailerSection { FieldOptions = options is null ? null : Wire.Bytes(options) };
        Assert.That(section.Parse(Wire.Bytes(Text)), Is.EqualTo(ParseStatus.Complete));
        Assert.That(Wire.Dropped(section, Text), Is.EqualTo(expected));
    }

    [Test]
    public void SectionIsBounded()
    {
        Assert.That(Parse(string.Concat(Enumerable.Repeat("a:b\r\n", 32)) + "\r\n"), Is.EqualTo(ParseStatus.Complete));
        Assert.That(Parse(string.Concat(Enumerable.Repeat("a:b\r\n", 33)) + "\r\n"), Is.EqualTo(ParseStatus.Rejected));
        Assert.That(Parse("a:" + new string('b', TrailerSection.BytesMax - 6) + "\r\n\r\n"), Is.EqualTo(ParseStatus.Complete));
        Assert.That(Parse("a:" + new string('b', TrailerSection.BytesMax - 5) + "\r\n\r\n"), Is.EqualTo(ParseStatus.Rejected));

        static ParseStatus Parse(string text)
        {
            var section = new TrailerSection();
            ParseStatus status = section.Parse(Wire.Bytes(text));
            Assert.That(section.Rejection, Is.EqualTo(status == ParseStatus.Rejected ? RejectionReason.BadTrailer : RejectionReason.None));
            return status;
        }
    }
}
