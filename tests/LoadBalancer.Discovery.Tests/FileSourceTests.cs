using LoadBalancer.Discovery.Sources;
using LoadBalancer.Hosting;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Discovery.Tests;

/// <summary>A file of destinations, however it is written.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(30_000)]
public sealed class FileSourceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lb").FullName;
    private readonly FileSource _source;

    public FileSourceTests() => _source = new FileSource(Fleet, DiscoveryServiceCollectionExtensions.ReadFile, TimeSpan.FromSeconds(1));

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    private string Fleet => $"{_folder}/fleet.json";

    public void Dispose()
    {
        ((IDisposable)_source).Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public async Task AMapIsReadAsInTheConfiguration()
    {
        await File.WriteAllTextAsync(Fleet, "{ \"a\": \"h:1\", \"b\": { \"address\": \"h:2\", \"weight\": 3, \"tier\": 1 }, } // two");
        SourceReading reading = await _source.ReadAsync(Token);
        Assert.That(reading.Destinations!.Select(d => (d.Key, d.Value.Address, d.Value.Weight, d.Value.Tier)), Is.EqualTo(new[] { ("a", "h:1", 1, 0), ("b", "h:2", 3, 1) }));
    }

    [TestCase("[\"h:1\", { \"address\": \"h:2\", \"weight\": 3 }]", "h:1,h:2")]
    [TestCase("[]", "")]
    [TestCase("{}", "")]
    public async Task AListIsNamedByItsAddresses(string text, string names)
    {
        await File.WriteAllTextAsync(Fleet, text);
        Assert.That(string.Join(',', (await _source.ReadAsync(Token)).Destinations!.Keys), Is.EqualTo(names));
    }

    [TestCase("", ":1:1: not valid JSON")]
    [TestCase("{ \"a\": \"h:1\", \"b\"", ":1:18: not valid JSON")]
    [TestCase("3", ":1:1: expected a map or a list of destinations, found the number 3")]
    [TestCase("{ \"a\": \"h\" }", ":1:8: a.address: \"h\" has no port")]
    [TestCase("{\n \"x.y\": { \"address\": \"h:1\", \"weight\": 0 } }", ":2:39: [\"x.y\"].weight: 0 is out of range")]
    [TestCase("[\n \"h:1\", { \"address\": \"h:2\", \"weight\": 0 } ]", ":2:39: [1].weight: 0 is out of range")]
    [TestCase("[ \"h:1\", \"h:1\" ]", ":1:10: [1]: \"h:1\" is given twice")]
    [TestCase("{ \"a\": { \"adress\": \"h:1\" } }", ":1:10: a.adress: unknown key")]
    public async Task ABadFileIsNoAnswerAndSaysWhereAndWhy(string text, string problem)
    {
        await File.WriteAllTextAsync(Fleet, text);
        SourceReading reading = await _source.ReadAsync(Token);
        Assert.That(reading.Destinations, Is.Null);
        Assert.That(reading.Problem, Does.StartWith(Fleet + problem));
    }

    [Test]
    public async Task AMissingFileIsNoAnswerUntilItComes()
    {
        Assert.That((await _source.ReadAsync(Token)).Problem, Is.EqualTo($"{Fleet} does not exist"));
        await File.WriteAllTextAsync(Fleet, "[\"h:1\"]");
        Assert.That((await _source.ReadAsync(Token)).Destinations, Has.Count.EqualTo(1));
        File.Delete(Fleet);
        Assert.That((await _source.ReadAsync(Token)).Destinations, Is.Null);
        await File.WriteAllTextAsync(Fleet, "[\"h:1\"]"); // the same text as before
        Assert.That((await _source.ReadAsync(Token)).Destinations, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task ARenameOverTheFileIsSeen()
    {
        await File.WriteAllTextAsync(Fleet, "[\"h:1\"]");
        Assert.That(await NamesAsync(), Is.EqualTo("h:1"));
        // Same size, same dates: nothing but the content tells.
        DateTime written = File.GetLastWriteTimeUtc(Fleet);
        await File.WriteAllTextAsync($"{_folder}/next", "[\"h:2\"]");
        File.SetLastWriteTimeUtc($"{_folder}/next", written);
        File.Move($"{_folder}/next", Fleet, overwrite: true);
        Assert.That(await NamesAsync(), Is.EqualTo("h:2"));
    }

    [Test]
    public async Task ASwapOfTheFolderBehindALinkIsSeen()
    {
        // As Kubernetes mounts a ConfigMap: fleet.json -> ..data/fleet.json, ..data -> a folder, swapped by rename.
        foreach (string version in new[] { "v1", "v2" })
        {
            Directory.CreateDirectory($"{_folder}/{version}");
            await File.WriteAllTextAsync($"{_folder}/{version}/fleet.json", $"[\"{version}:1\"]");
        }
        Directory.CreateSymbolicLink($"{_folder}/..data", "v1");
        File.CreateSymbolicLink(Fleet, "..data/fleet.json");
        Assert.That(await NamesAsync(), Is.EqualTo("v1:1"));
        File.CreateSymbolicLink($"{_folder}/..next", "v2");
        // File.Move follows a link to a folder, which rename(2) does not.
        await SystemProgram.RunAsync(SystemProgram.Require("mv"), Token, "-T", $"{_folder}/..next", $"{_folder}/..data");
        Assert.That(await NamesAsync(), Is.EqualTo("v2:1"));
    }

    [Test]
    public async Task AnEditorThatWritesInPlaceIsSeenWhenItIsDone()
    {
        string text = "{ \"a\": \"h:1\", \"b\": \"h:2\" }";
        using (FileStream writing = new(Fleet, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
            foreach (char character in text)
            {
                Assert.That((await _source.ReadAsync(Token)).Destinations, Is.Null, $"after {writing.Length} characters");
                writing.WriteByte((byte)character);
            }
        Assert.That(await NamesAsync(), Is.EqualTo("a,b"));
    }

    [Test]
    public async Task TooLargeAFileIsRefusedUnread()
    {
        using (FileStream sparse = File.Create(Fleet)) sparse.SetLength(FileSource.BytesMax + 1);
        Assert.That((await _source.ReadAsync(Token)).Problem, Does.EndWith($"is larger than {FileSource.BytesMax} bytes"));
    }

    [Test]
    public async Task TooManyDestinationsAreRefused()
    {
        await File.WriteAllTextAsync(Fleet, $"[{string.Join(',', Enumerable.Range(0, 10_001).Select(i => $"\"h:{i + 1}\""))}]");
        Assert.That((await _source.ReadAsync(Token)).Problem, Does.Contain("has 10001 destinations; expected at most 10000"));
    }

    private async Task<string> NamesAsync() => string.Join(',', (await _source.ReadAsync(Token)).Destinations!.Keys);
}
