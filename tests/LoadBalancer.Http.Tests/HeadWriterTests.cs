using System.Globalization;

namespace LoadBalancer.Http.Tests;

public class HeadWriterTests
{
    [TestCase(0L)]
    [TestCase(9L)]
    [TestCase(10L)]
    [TestCase(15L)]
    [TestCase(16L)]
    [TestCase(255L)]
    [TestCase(65536L)]
    [TestCase(long.MaxValue)]
    [TestCase(-1L)]
    public void Write_Number_IsWhatTheFrameworkWrites(long value)
    {
        byte[] buffer = new byte[HeadWriter.Int64BytesMax];
        Assert.That(Wire.Text(buffer.AsSpan(0, HeadWriter.WriteInt64(buffer, value))), Is.EqualTo(value.ToString(CultureInfo.InvariantCulture)));
        Assert.That(Wire.Text(buffer.AsSpan(0, HeadWriter.WriteHex(buffer, value))), Is.EqualTo(value.ToString("x", CultureInfo.InvariantCulture)));
    }

    [Test]
    public void Write_NoRoom_Throws()
    {
        Assert.That(() => HeadWriter.WriteHex(new byte[1], 16), Throws.ArgumentException);
        Assert.That(() => HeadWriter.WriteInt64(new byte[1], 16), Throws.ArgumentException);
    }
}
