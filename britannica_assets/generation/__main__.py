"""Articles from the command line: `python -m britannica_assets.generation "London was" [--track babylm_10m] …`."""

import argparse
import sys

from britannica_assets.config import Configuration, Generation, load_configuration
from britannica_assets.generation.generate import generate_articles
from britannica_assets.modeling.registry import download_student
from britannica_assets.settings import Settings


def main() -> None:
    """Prints what a student makes of the prompt, as it is written."""
    settings = Settings()
    configuration = load_configuration(settings.scale)
    arguments = _parser(configuration).parse_args()
    from britannica_assets.modeling.models import load_model  # imports torch, which `--help` does without

    try:
        generation = Generation(
            prompts=[arguments.prompt],
            temperature=arguments.temperature,
            top_p=arguments.top_p,
            max_new_tokens=arguments.max_new_tokens,
        )
        folder, _ = download_student(settings, arguments.track, arguments.version)
        model, tokenizer = load_model(folder)
        for number in range(arguments.number):
            seed = arguments.seed + number
            if arguments.number > 1:
                print(f"seed {seed}:")
            generate_articles(model, tokenizer, generation, seed=seed, stream=_print)
            print("\n")
    except (LookupError, ValueError) as error:
        sys.exit(str(error))


def _parser(configuration: Configuration) -> argparse.ArgumentParser:
    own = configuration.generation
    parser = argparse.ArgumentParser(
        prog="python -m britannica_assets.generation",
        description=main.__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("prompt", help="the beginning of an article")
    parser.add_argument(
        "--track",
        choices=list(configuration.tracks),
        default=next(iter(configuration.tracks)),
        help="whose champion writes",
    )
    parser.add_argument("--version", type=int, help="a version of the registered student in place of the champion")
    parser.add_argument("--temperature", type=float, default=own.temperature, help="softens the logits")
    parser.add_argument("--top-p", type=float, default=own.top_p, help="probability mass of nucleus sampling")
    parser.add_argument("--max-new-tokens", type=int, default=own.max_new_tokens, help="after which it is cut off")
    parser.add_argument("--number", type=int, default=1, help="of articles, each with the seed after the one before")
    parser.add_argument("--seed", type=int, default=configuration.seed, help="of the first article")
    return parser


def _print(text: str) -> None:
    print(text, end="", flush=True)


main()
