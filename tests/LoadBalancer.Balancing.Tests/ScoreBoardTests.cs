namespace LoadBalancer.Balancing.Tests;

public class ScoreBoardTests
{
    [TestCase(1)]
    [TestCase(7)]
    [TestCase(64)]
    [TestCase(65)]
    [TestCase(200)]
    [TestCase(256)]
    public void FindLowest_RandomPrices_FindsTheLowest(int count)
    {
        var random = new Random(count);
        var board = new ScoreBoard(count, new PickRandom(1));
        for (int round = 0; round < 300; round++)
        {
            int[] prices = [.. Enumerable.Range(0, count).Select(_ => random.Next(-50, 50))];
            for (int seat = 0; seat < count; seat++) board.Set(seat, prices[seat]);
            int found = board.FindLowest(-1, out int price);
            Assert.That(price, Is.EqualTo(prices.Min()));
            Assert.That(prices[found], Is.EqualTo(price));
        }
    }

    [TestCase(64)]
    [TestCase(200)]
    public void FindLowest_Ties_ChoosesEachAsOften(int count)
    {
        var board = new ScoreBoard(count, new PickRandom(1));
        for (int seat = 0; seat < count; seat++) board.Set(seat, seat is 3 or 4 or 60 ? 1 : 2);
        int[] found = new int[count];
        for (int i = 0; i < 30_000; i++) found[board.FindLowest(-1, out _)]++;
        foreach (int seat in new[] { 3, 4, 60 }) Assert.That(found[seat], Is.EqualTo(10_000).Within(500));
    }

    [TestCase(0)]
    [TestCase(5)]
    [TestCase(300)]
    public void FindLowest_NoneUsable_ReturnsNone(int count) =>
        Assert.That(new ScoreBoard(count, new PickRandom(1)).FindLowest(-1, out _), Is.EqualTo(-1));

    [TestCase(5)]
    [TestCase(300)]
    [TestCase(10_000)]
    public void FindLowest_OneUsable_FindsIt(int count)
    {
        var board = new ScoreBoard(count, new PickRandom(1));
        board.Set(count - 2, 17);
        Assert.That(board.FindLowest(-1, out int price), Is.EqualTo(count - 2));
        Assert.That(price, Is.EqualTo(17));
        Assert.That(board.FindLowest(count - 2, out _), Is.EqualTo(-1), "left out");
    }

    // Best of d by chance: its rank is on average the (d + 1)th part.
    [TestCase(300, 9)]
    [TestCase(10_000, 64)]
    public void FindLowest_BeyondTheScan_FindsTheBestOfASample(int count, int draws)
    {
        var board = new ScoreBoard(count, new PickRandom(1));
        int[] ranking = [.. Enumerable.Range(0, count)];
        new Random(1).Shuffle(ranking);
        for (int seat = 0; seat < count; seat++) board.Set(seat, ranking[seat]);
        double ranks = 0;
        for (int i = 0; i < 2000; i++)
        {
            board.FindLowest(-1, out int price);
            ranks += price;
        }
        Assert.That(ranks / 2000, Is.EqualTo((double)count / (draws + 1)).Within(25).Percent);
    }

    [Test]
    public void SelectBit_AnyMask_IsThePlaceOfTheNthSetBit()
    {
        var random = new Random(1);
        ulong[] masks = [1, 1ul << 63, ulong.MaxValue, 0x8000000000000001, 0xFF, .. Enumerable.Range(0, 1000).Select(_ => Any() & Any())];
        ulong Any() => (ulong)random.NextInt64(long.MinValue, long.MaxValue);
        foreach (ulong mask in masks)
        {
            int n = 0;
            for (int bit = 0; bit < 64; bit++)
                if ((mask >> bit & 1) != 0) Assert.That(ScoreBoard.SelectBit(mask, n++), Is.EqualTo(bit), $"{mask:x} {n}");
        }
    }
}
