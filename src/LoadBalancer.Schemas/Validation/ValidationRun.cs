using System.Runtime.CompilerServices;
using LoadBalancer.Schemas.Json;

namespace LoadBalancer.Schemas.Validation;

/// <summary>One validation of one instance: the instance, what may still be spent on it, and what was found.</summary>
internal ref struct ValidationRun
{
    private const int StackLookEvery = 64; // nested schemas between two looks at how much stack there is

    internal readonly JsonView Instance;
    internal readonly RunMemory Memory;
    private readonly SchemaOptions _options;
    private int _depth;

    /// <summary>Steps that are left. Negative: exhausted, and every check fails from then on.</summary>
    internal int StepsLeft;

    /// <summary>Null: only whether it is valid is asked, and the first failure ends it.</summary>
    internal List<InstanceProblem>? Problems;

    internal ValidationRun(JsonView instance, RunMemory memory, SchemaOptions options, List<InstanceProblem>? problems)
    {
        Instance = instance;
        Memory = memory;
        _options = options;
        StepsLeft = options.StepsMax;
        Problems = problems;
    }

    /// <summary>Whether looking for more problems has a point.</summary>
    internal readonly bool GoesOn => Problems is not null && Problems.Count < _options.ProblemsMax && StepsLeft >= 0;

    internal readonly bool IsExhausted => StepsLeft < 0;

    internal void Exhaust() => StepsLeft = int.MinValue / 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool Spend(int steps)
    {
        StepsLeft -= steps;
        return StepsLeft >= 0;
    }

    /// <summary>Goes one schema deeper; false: too deep, or nothing is left to spend.</summary>
    internal bool Enter()
    {
        if (!Spend(1)) return false;
        if (++_depth <= _options.NestingMax && (_depth % StackLookEvery != 0 || RuntimeHelpers.TryEnsureSufficientExecutionStack())) return true;
        _depth--;
        Exhaust();
        return false;
    }

    internal void Leave() => _depth--;

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal readonly void Report(int node, string rule, string message)
    {
        if (GoesOn) Problems!.Add(new InstanceProblem(Instance.PointerOf(node), rule, message));
    }
}
