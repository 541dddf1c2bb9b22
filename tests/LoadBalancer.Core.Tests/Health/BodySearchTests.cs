using System.Text;
using LoadBalancer.Core.Health;
using LoadBalancer.Http;
using NUnit.Framework;

namespace LoadBalancer.Core.Tests.Health;

public sealed class BodySearchTests
{
    private static readonly object[] Bodies =
    [
        new object[] { MessageFraming.ContentLength, 8, "is ready", true, true },
        new object[] { MessageFraming.ContentLength, 5, "is ready", false, true },
        new object[] { MessageFraming.ContentLength, 100, "is not", false, false },
        new object[] { MessageFraming.UntilClose, -1, "rearready", true, true },
        new object[] { MessageFraming.UntilClose, -1, "read", false, false },
        new object[] { MessageFraming.Chunked, -1, "2\r\nre\r\n6;x=y\r\nadyyyy\r\n", true, true },
        new object[] { MessageFraming.Chunked, -1, "3\r\nrea\r\n0\r\n\r\ndy", false, true },
        new object[] { MessageFraming.Chunked, -1, "3\r\nready", false, true },
    ];

    [TestCaseSource(nameof(Bodies))]
    public void Add_SplitAnywhere_GivesTheSame(MessageFraming framing, int length, string text, bool isFound, bool isOver)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        for (int split = 0; split <= bytes.Length; split++)
        {
            var search = new BodySearch("ready"u8.ToArray(), framing, length);
            search.Add(bytes.AsSpan(0, split));
            if (!search.IsOver) search.Add(bytes.AsSpan(split));
            Assert.That((search.IsFound, search.IsOver), Is.EqualTo((isFound, isOver)), $"split at {split}");
        }
    }

    [TestCase(BodySearch.BytesMax, true)]
    [TestCase(BodySearch.BytesMax + 1, false)]
    public void Add_TextAtTheBound_IsFoundWithinItOnly(int end, bool isFound)
    {
        var search = new BodySearch("ready"u8.ToArray(), MessageFraming.UntilClose, -1);
        search.Add(Encoding.ASCII.GetBytes("ready".PadLeft(end) + new string(' ', 100)));
        Assert.That((search.IsFound, search.IsOver), Is.EqualTo((isFound, true)));
    }

    [Test]
    public void IsOver_NoBody_FromTheStart() => Assert.That(new BodySearch("a"u8.ToArray(), MessageFraming.None, -1).IsOver);
}
