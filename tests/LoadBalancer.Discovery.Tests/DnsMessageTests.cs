using LoadBalancer.Discovery.Dns;
using NUnit.Framework;

namespace LoadBalancer.Discovery.Tests;

/// <summary>Answers that are not as they should be.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class DnsMessageTests
{
    private static readonly byte[] Query = Make();

    private static byte[] Make()
    {
        byte[] buffer = new byte[DnsMessage.QueryBytesMax];
        return buffer[..DnsMessage.WriteQuery(buffer, 0x1234, "api.internal", DnsRecordType.Srv)];
    }

    private static byte[] Answer() => new DnsQuery(Query, IsTcp: false).Reply(DnsQuery.NoError, [DnsQuery.Record(1, 5, [10, 0, 0, 1], "a.internal")],
        DnsQuery.Srv(9, 1, 2, 80, "a.internal"), DnsQuery.Srv(8, 3, 4, 81, "b.internal"));

    [Test]
    public void Read_Services_GivesRecordsAndAddressesBeside()
    {
        DnsAnswer answer = DnsMessage.Read(Answer(), Query, "api.internal", DnsRecordType.Srv);
        Assert.That(answer.Records.Select(r => (r.Priority, r.Weight, r.Port, r.Target)), Is.EqualTo(new[] { (1, 2, 80, "a.internal"), (3, 4, 81, "b.internal") }));
        Assert.That((answer.Status, answer.TtlSeconds, answer.Beside.Single().Owner), Is.EqualTo((DnsStatus.Found, 8u, "a.internal")));
    }

    [Test]
    public void Read_CutAnywhere_IsAFailure()
    {
        byte[] whole = Answer();
        for (int length = Query.Length; length < whole.Length; length++)
            Assert.That(DnsMessage.Read(whole.AsSpan(0, length), Query, "api.internal", DnsRecordType.Srv).Status, Is.EqualTo(DnsStatus.Failed), $"at {length}");
    }

    [Test]
    public void Read_PointerForwardsOrToItself_IsAFailure()
    {
        byte[] forwards = Answer();
        for (int to = Query.Length; to < forwards.Length; to++)
        {
            forwards[Query.Length] = (byte)(0xc0 | to >> 8);
            forwards[Query.Length + 1] = (byte)to;
            Assert.That(DnsMessage.Read(forwards, Query, "api.internal", DnsRecordType.Srv).Status, Is.EqualTo(DnsStatus.Failed), $"to {to}");
        }
    }

    [Test]
    public void Read_AnyBytes_NeverThrowsAndEnds()
    {
        var random = new Random(7);
        byte[] whole = Answer();
        for (int run = 0; run < 200_000; run++)
        {
            byte[] bytes = [.. whole];
            for (int change = random.Next(1, 6); change > 0; change--) bytes[random.Next(Query.Length, bytes.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0) bytes[random.Next(6, 12)] = (byte)random.Next(256);
            Assert.DoesNotThrow(() => DnsMessage.Read(bytes.AsSpan(0, random.Next(Query.Length, bytes.Length + 1)), Query, "api.internal", DnsRecordType.Srv), $"seed 7, run {run}");
        }
    }

    [Test]
    public void IsAnswerTo_AnythingElse_IsFalse()
    {
        byte[] right = Answer();
        Assert.That(DnsMessage.IsAnswerTo(right, Query), Is.True);
        for (int i = 0; i < Query.Length; i++)
        {
            if (i is 3 or (>= 6 and < 12)) continue; // the code, and counts of what follows
            byte[] wrong = [.. right];
            wrong[i] ^= 0x80;
            Assert.That(DnsMessage.IsAnswerTo(wrong, Query), Is.False, $"byte {i}");
        }
        right[13] ^= 0x20; // another case is the same name
        Assert.That(DnsMessage.IsAnswerTo(right, Query), Is.True);
        Assert.That(DnsMessage.IsAnswerTo(Query, Query), Is.False);
    }
}
