using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using LoadBalancer.Translation.Conversions;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Translation.Documents;

/// <summary>
/// Translates one document after the other by plans; keeps its buffers between them. One user at a time: a loop has one of its own. Numbers and strings that no rule converts come out
/// byte for byte as they were.
/// </summary>
public sealed class DocumentTranslator : IDisposable
{
    private const int DeepestMax = 256; // as DepthMax

    private readonly NameSet _names = new();
    private readonly uint[] _containers = new uint[DeepestMax + 2];
    private uint _container;
    private TranslationLimits _limits = TranslationLimits.Default;
    private bool _passes;

    /// <summary>What the last document has become, until the next one.</summary>
    public OutputBuffer Output { get; } = new();

    internal OutputBuffer Scratch { get; } = new(leavesOld: true);

    internal TreeNodes Tree { get; } = new();

    internal TranslationProblem? Problem { get; private set; }

    /// <summary>Translates a document into <see cref="Output"/>. Null: done; else what is wrong with it.</summary>
    public TranslationProblem? Translate(BodyPlan plan, ReadOnlySpan<byte> document, TranslationLimits limits) => Translate(plan, document, limits, plan.IsInPlace);

    /// <summary>As above, with a choice of the engine: any plan can be done with a tree.</summary>
    internal TranslationProblem? Translate(BodyPlan plan, ReadOnlySpan<byte> document, TranslationLimits limits, bool inPlace)
    {
        _limits = limits;
        _passes = plan.PassesUnconvertible;
        _container = 0;
        Problem = null;
        Output.Reset(limits.OutputBytesMax);
        // Of what is held beside the document: names without escapes and converted values, neither longer than what they come from or a map says.
        Scratch.Reset(int.MaxValue);
        _names.Reset();
        if (document.Length > limits.DocumentBytesMax) return new(TranslationProblemKind.TooLarge, $"the document has {document.Length} bytes, expected at most {limits.DocumentBytesMax}");
        if (!Utf8.IsValid(document)) return new(TranslationProblemKind.Malformed, "the document is not UTF-8");
        try
        {
            var reader = new Utf8JsonReader(document, new JsonReaderOptions { MaxDepth = DeepestMax + 1 });
            bool isDone = inPlace ? new InPlaceEngine(this, document).Run(ref reader, plan.Scope) : new TreeEngine(this, document).Run(ref reader, plan.Scope);
            if (!isDone && Problem is null) throw new InvalidOperationException("A translation has failed without a reason.");
        }
        catch (JsonException e)
        {
            return new(TranslationProblemKind.Malformed, $"the document is no JSON at line {e.LineNumber + 1}", Position: PositionOf(document, e.LineNumber ?? 0, e.BytePositionInLine ?? 0));
        }
        if (Problem is { } problem) return problem with { Pointer = PointerText.At(document, problem.Position) };
        return Output.IsOverflown ? new(TranslationProblemKind.OutputTooLarge, $"the translated document has more than {limits.OutputBytesMax} bytes") : null;
    }

    private static long PositionOf(ReadOnlySpan<byte> document, long line, long inLine)
    {
        int at = 0;
        for (; line > 0; line--)
        {
            int end = document[at..].IndexOf((byte)'\n');
            if (end < 0) break;
            at += end + 1;
        }
        return Math.Min(at + inLine, document.Length);
    }

    /// <summary>An object has begun: its names are told apart from those of others.</summary>
    internal bool EnterObject(ref Utf8JsonReader reader)
    {
        if (!Enter(ref reader)) return false;
        _containers[reader.CurrentDepth] = ++_container;
        return true;
    }

    /// <summary>An object or array has begun. False: it is too deep.</summary>
    internal bool Enter(ref Utf8JsonReader reader) =>
        reader.CurrentDepth < Math.Min(_limits.DepthMax, DeepestMax) || Fail(TranslationProblemKind.TooDeep, $"is nested deeper than {_limits.DepthMax}", null, reader.TokenStartIndex);

    /// <summary>Takes the name at which the reader is, without escapes. False: the object has it already.</summary>
    internal bool TakeName(scoped ref Utf8JsonReader reader, scoped ReadOnlySpan<byte> source, out ReadOnlySpan<byte> name)
    {
        int place = (int)reader.TokenStartIndex + 1;
        name = reader.ValueSpan;
        if (reader.ValueIsEscaped)
        {
            place = ~Scratch.Length;
            if (!TryUnescape(ref reader, out name)) return false;
        }
        if (_names.Add(name, place, _containers[reader.CurrentDepth - 1], source, Scratch.Written)) return true;
        return Fail(TranslationProblemKind.DuplicateName, $"the name \"{PointerText.Shown(Encoding.UTF8.GetString(name))}\" comes twice in an object", null, reader.TokenStartIndex);
    }

    /// <summary>Takes a scalar, without quotes and escapes.</summary>
    internal bool TakeScalar(scoped ref Utf8JsonReader reader, out Scalar value)
    {
        value = new Scalar(reader.TokenType, reader.ValueSpan);
        if (!reader.ValueIsEscaped) return true;
        bool isText = TryUnescape(ref reader, out ReadOnlySpan<byte> text);
        value = new Scalar(reader.TokenType, text);
        return isText;
    }

    // To the scratch: never longer than with escapes.
    private bool TryUnescape(scoped ref Utf8JsonReader reader, out ReadOnlySpan<byte> text)
    {
        text = default;
        Span<byte> room = Scratch.Room(reader.ValueSpan.Length);
        try
        {
            int length = reader.CopyString(room);
            Scratch.Advance(length);
            text = room[..length];
            return true;
        }
        catch (InvalidOperationException) // half of a surrogate pair
        {
            return Fail(TranslationProblemKind.Malformed, "a string has an escape that is no character", null, reader.TokenStartIndex);
        }
    }

    /// <summary>Reads over a value that no rule looks into. Names that come twice are found there too.</summary>
    internal bool Skip(ref Utf8JsonReader reader, ReadOnlySpan<byte> source)
    {
        if (reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray)) return true;
        int depth = reader.CurrentDepth;
        do
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    if (!EnterObject(ref reader)) return false;
                    break;
                case JsonTokenType.StartArray:
                    if (!Enter(ref reader)) return false;
                    break;
                case JsonTokenType.PropertyName:
                    if (!TakeName(ref reader, source, out _)) return false;
                    break;
                default:
                    break;
            }
            reader.Read();
        }
        while (reader.CurrentDepth > depth);
        return true;
    }

    /// <summary>A value cannot be converted: true where it goes on as it is, else the end.</summary>
    internal bool Unconvertible(PlanRule? rule, string message, long position) =>
        _passes || Fail(TranslationProblemKind.Unconvertible, message, rule?.Rule.MapPath, position);

    internal bool Fail(TranslationProblemKind kind, string message, string? rule, long position)
    {
        Problem ??= new TranslationProblem(kind, message, Rule: rule, Position: position);
        return false;
    }

    /// <summary>Gives the buffers back.</summary>
    public void Dispose()
    {
        Output.Dispose();
        Scratch.Dispose();
    }
}
