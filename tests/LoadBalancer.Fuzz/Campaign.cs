using System.Diagnostics;
using System.Globalization;

namespace LoadBalancer.Fuzz;

/// <summary>Mutates samples of one target; keeps what behaves in a new way; stops at the first input for which something does not hold.</summary>
internal sealed class Campaign
{
    private const int KeptMax = 20_000;
    private static readonly TimeSpan HangLimit = TimeSpan.FromSeconds(20); // a guard: an input takes microseconds

    private readonly IFuzzTarget _target;
    private readonly int _seed;
    private readonly Random _random;
    private readonly string? _folder; // where new samples are written
    private readonly List<byte[]> _samples = [];
    private readonly HashSet<string> _behaviours = [];
    private byte[] _current = [];
    private long _iteration, _startedAt;

    internal Campaign(IFuzzTarget target, int seed, string? corpusFolder)
    {
        _target = target;
        _seed = seed;
        _random = new Random(seed);
        string own = Path.Combine(AppContext.BaseDirectory, "Corpus", target.Name);
        LoadSamples(own);
        if (corpusFolder is null) return;
        _folder = Path.Combine(corpusFolder, target.Name);
        Directory.CreateDirectory(_folder);
        LoadSamples(_folder);
    }

    private void LoadSamples(string folder)
    {
        // In order of their names: a campaign must follow from its seed.
        foreach (string path in Directory.GetFiles(folder).Order(StringComparer.Ordinal)) _samples.Add(Sample.Read(path));
    }

    /// <summary>False when an input failed; it is described on the console and written to a file.</summary>
    internal bool Run(long iterations, double minutes)
    {
        var mutator = new Mutator(_random, _samples);
        long begin = Stopwatch.GetTimestamp();
        Volatile.Write(ref _startedAt, begin);
        using var watchdog = new Timer(_ => EndIfHanging(), null, HangLimit, HangLimit);
        foreach (byte[] sample in _samples.ToArray())
        {
            if (!Try(sample, isThorough: true)) return false;
        }
        int given = _behaviours.Count;
        for (_iteration = 1; minutes > 0 ? Stopwatch.GetElapsedTime(begin).TotalMinutes < minutes : _iteration <= iterations; _iteration++)
        {
            if (!Try(mutator.Next(), isThorough: false)) return false;
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{_target.Name}: seed {_seed}, {_iteration - 1} inputs in {Stopwatch.GetElapsedTime(begin).TotalSeconds:f1} s, {_behaviours.Count} behaviours ({given} in the samples)"));
        return true;
    }

    /// <summary>Writes the samples as they are, for other fuzzers.</summary>
    internal void Export(string folder)
    {
        Directory.CreateDirectory(folder);
        for (int i = 0; i < _samples.Count; i++) File.WriteAllBytes(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{i}.bin")), _samples[i]);
    }

    internal bool RunOne(byte[] input) => Try(input, isThorough: true);

    private bool Try(byte[] input, bool isThorough)
    {
        _current = input;
        Volatile.Write(ref _startedAt, Stopwatch.GetTimestamp());
        try
        {
            string behaviour = _target.Run(input, _random, isThorough);
            if (!_behaviours.Add(behaviour)) return true;
            if (!isThorough) _target.Run(input, _random, isThorough: true);
            if (_samples.Count < KeptMax) _samples.Add(input);
            if (_folder is not null && _iteration > 0) Sample.Write(Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{_seed}-{_iteration}.txt")), input);
            return true;
        }
        catch (Exception e) // whatever it is: a parser never throws
        {
            Fail(e.ToString());
            return false;
        }
    }

    private void Fail(string what)
    {
        string file = Path.GetFullPath(string.Create(CultureInfo.InvariantCulture, $"fuzz-failure-{_target.Name}-{_seed}-{_iteration}.bin"));
        File.WriteAllBytes(file, _current);
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_target.Name}: seed {_seed}, input {_iteration}, written to {file}\n{Convert.ToHexString(_current)}\n{what}"));
    }

    private void EndIfHanging()
    {
        if (Stopwatch.GetElapsedTime(Volatile.Read(ref _startedAt)) < HangLimit) return;
        Fail("hangs");
        Environment.Exit(1);
    }
}
