def enrichment(t, y, args):
    eaten = y.prey * y.predators / (1 + y.prey)
    return {
        "prey": y.prey * (1 - y.prey / args.capacity) - eaten,
        "predators": args.gain * eaten - args.loss * y.predators,
    }
